// Areas as buttons in groups: a verdict's areas below its name, each with its mean difference as a bar.
const CSS = `
:host { display: block; width: 100%; font: 15px/1.4 var(--sans); color: var(--ink); }
.all { width: 100%; }
.groups { display: flex; flex-direction: column; gap: 14px; max-height: 860px; overflow-y: auto; padding: 3px; }
h3 { margin: 0 0 7px; font-size: 14px; display: flex; align-items: center; gap: 9px; }
h3 b { font-weight: 650; } h3 span { color: var(--soft); font-weight: 500; font-variant-numeric: tabular-nums; }
h3::before { content: ""; width: 9px; height: 9px; border-radius: 50%; background: currentColor; }
.good { color: var(--good); } .warn { color: var(--warn); } .calm { color: var(--calm); } .fault { color: var(--fault); }
.areas { display: grid; grid-template-columns: repeat(auto-fill, minmax(142px, 1fr)); gap: 8px; }
button { all: unset; box-sizing: border-box; cursor: pointer; display: flex; flex-direction: column; gap: 6px; padding: 7px 10px 8px; border: 1px solid var(--line);
  border-left: 4px solid currentColor; border-radius: 8px; background: var(--raised); min-width: 0; }
button:hover { border-color: currentColor; } button:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
button[aria-pressed=true] { background: var(--brand-soft); border-color: var(--accent); box-shadow: inset 0 0 0 1px var(--accent); }
.line { display: flex; justify-content: space-between; gap: 8px; color: var(--ink); font-size: 14px; font-weight: 550; }
.line span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; } .line small { flex: none; color: var(--soft); font-size: 13px; font-weight: 500; font-variant-numeric: tabular-nums; }
.wide .line span { font-weight: 700; }
.bar { position: relative; height: 8px; border-radius: 4px; background: var(--line); overflow: hidden; }
.bar i { position: absolute; top: 0; bottom: 0; } .bar .equal { left: 33.33%; width: 33.33%; background: var(--strong); opacity: .55; } .bar .mean { background: var(--ink); }
@media (max-width: 520px) { .line { flex-direction: column; gap: 0; } .areas { grid-template-columns: repeat(2, minmax(0, 1fr)); } }
`
const tag = (name, props = {}, ...children) => { const e = Object.assign(document.createElement(name), props); e.append(...children); return e }

export function render({model}) {
  const box = tag('div', {className: 'all'}), groups = tag('div', {className: 'groups'}), buttons = new Map()
  const press = () => { for (const [code, b] of buttons) b.setAttribute('aria-pressed', String(code === model.chosen)) }
  const tile = t => {
    const bar = tag('div', {className: 'bar', ariaHidden: 'true'}, tag('i', {className: 'equal'}))
    if (t.at !== null) {                                                   // percent of the width; 50 is no difference
      const mean = tag('i', {className: 'mean'})
      mean.style.left = Math.min(t.at, 50) + '%'; mean.style.width = Math.max(Math.abs(t.at - 50), 1) + '%'
      bar.append(mean)
    }
    const b = tag('button', {type: 'button', className: t.wide ? 'wide' : '', ariaLabel: t.label, title: t.label, onclick: () => { model.clicked = {code: t.code} }},
      tag('div', {className: 'line'}, tag('span', {textContent: t.name}), tag('small', {textContent: t.size})), bar)
    buttons.set(t.code, b)
    return b
  }
  const build = () => {
    buttons.clear()
    groups.replaceChildren(...model.groups.map(g => tag('section', {className: g.mood},
      tag('h3', {}, tag('b', {textContent: g.title}), tag('span', {textContent: g.tiles.length})),
      tag('div', {className: 'areas'}, ...g.tiles.map(tile)))))
    press()
  }
  build()
  model.on('groups', build); model.on('chosen', press)
  box.append(tag('style', {textContent: CSS}), groups)
  return box
}
