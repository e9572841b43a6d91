// Native, labelled form controls for Panel: a select, a range and a switch need no library to be used by keyboard.
const CSS = `
:host { display: block; }
form { display: flex; flex-wrap: wrap; gap: 14px 18px; align-items: flex-end; font: 15px/1.4 var(--sans); color: var(--ink); margin: 0; }
.field { display: flex; flex-direction: column; gap: 5px; min-width: 0; }
.field.select { flex: 1 1 200px; max-width: 440px; }
.field.range { flex: 1 1 320px; }
label, output { font-size: 13px; font-weight: 600; color: var(--soft); }
.range label { display: flex; align-items: baseline; gap: 8px; } output { color: var(--ink); font-size: 15px; font-variant-numeric: tabular-nums; }
select { font: inherit; color: var(--ink); background-color: var(--paper); border: 1px solid var(--strong); border-radius: 9px; height: 42px; padding: 0 36px 0 12px; width: 100%;
  appearance: none; text-overflow: ellipsis; cursor: pointer;
  background-image: linear-gradient(45deg, transparent 50%, currentColor 50%), linear-gradient(-45deg, transparent 50%, currentColor 50%);
  background-size: 6px 6px; background-position: right 18px center, right 12px center; background-repeat: no-repeat; }
select:hover { border-color: var(--series); } option, optgroup { background: var(--paper); color: var(--ink); }
input[type=range] { width: 100%; height: 26px; margin: 0; accent-color: var(--series); cursor: pointer; }
.ticks { position: relative; height: 18px; margin: 0 8px; font-size: 12px; color: var(--soft); font-variant-numeric: tabular-nums; }
.ticks span { position: absolute; transform: translateX(-50%); white-space: nowrap; }
.switch { flex-direction: row; align-items: center; gap: 10px; height: 42px; } .switch label { color: var(--ink); font-weight: 500; font-size: 14.5px; cursor: pointer; }
.switch input { appearance: none; width: 40px; height: 24px; border-radius: 12px; background: var(--soft); position: relative; margin: 0; cursor: pointer; transition: background .15s; }
.switch input::after { content: ""; position: absolute; top: 3px; left: 3px; width: 18px; height: 18px; border-radius: 50%; background: var(--paper); transition: left .15s; }
.switch input:checked { background: var(--series); } .switch input:checked::after { left: 19px; }
.switch input:disabled { opacity: .45; cursor: default; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
@media (prefers-reduced-motion: reduce) { * { transition: none !important; } }
`
const tag = (name, props = {}, ...children) => { const e = Object.assign(document.createElement(name), props); e.append(...children); return e }

export function render({model}) {
  const form = tag('form', {onsubmit: e => e.preventDefault()}), controls = new Map()
  const set = (key, value) => { if (model.values[key] !== value) model.values = {...model.values, [key]: value} }
  const option = ([value, text]) => tag('option', {value, textContent: text})

  const make = {
    select(f) {
      const box = tag('select', {id: f.key, onchange: () => set(f.key, box.value)})
      for (const [group, options] of f.groups) {
        const into = group ? box.appendChild(tag('optgroup', {label: group})) : box
        into.append(...options.map(option))
      }
      return {field: [tag('label', {htmlFor: f.key, textContent: f.label}), box], show: v => { box.value = v }}
    },
    range(f) {
      const options = f.groups.flatMap(g => g[1]), last = options.length - 1, out = tag('output', {htmlFor: f.key})
      const say = i => { out.value = options[i]?.[1] ?? ''; box.setAttribute('aria-valuetext', out.value) }
      let wait = 0
      const box = tag('input', {type: 'range', id: f.key, min: 0, max: last, step: 1, oninput: () => {
        say(+box.value); clearTimeout(wait); wait = setTimeout(() => set(f.key, options[+box.value][0]), 60) }})
      const step = Math.ceil(options.length / 12), ticks = tag('div', {className: 'ticks', ariaHidden: 'true'})
      options.forEach((o, i) => {                                          // the last one always, and every so many before it
        if ((last - i) % step) return
        const mark = tag('span', {textContent: o[1]}); mark.style.left = 100 * i / Math.max(last, 1) + '%'; ticks.append(mark)
      })
      return {field: [tag('label', {htmlFor: f.key}, f.label, out), box, ticks],
        show: v => { box.value = options.findIndex(o => o[0] === v); say(+box.value) }}
    },
    switch(f) {
      const box = tag('input', {type: 'checkbox', id: f.key, disabled: Boolean(f.disabled), onchange: () => set(f.key, box.checked)})
      box.setAttribute('role', 'switch')
      return {field: [box, tag('label', {htmlFor: f.key, textContent: f.label})], show: v => { box.checked = Boolean(v) }}
    },
  }
  const show = () => { for (const [key, c] of controls) c.show(model.values[key]) }
  const build = () => {
    const focused = form.getRootNode().activeElement?.id
    controls.clear()
    form.replaceChildren(...model.fields.map(f => {
      const c = make[f.kind](f); controls.set(f.key, c)
      return tag('div', {className: 'field ' + f.kind}, ...c.field)
    }))
    show()
    if (focused) form.querySelector('#' + focused)?.focus()
  }
  build()
  model.on('fields', build); model.on('values', show)
  const root = document.documentElement, tell = () => { model.look = root.dataset.look === 'dark' ? 'dark' : 'light' }
  const watch = new MutationObserver(tell)
  watch.observe(root, {attributes: true, attributeFilter: ['data-look']}); tell()
  const mark = () => { if (model.traits) root.dataset.traits = model.traits.join(' ') }
  model.on('traits', mark); mark()
  model.on('remove', () => watch.disconnect())
  const box = tag('div'); box.append(tag('style', {textContent: CSS}), form)
  return box
}
