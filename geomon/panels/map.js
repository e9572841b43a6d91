// A choropleth with a picture of pixels over it, by MapLibre GL JS from our own origin.
// Regions travel once; a step sends only {code: value}. No tiles, no glyphs, no sprite: nothing to fetch.
const LOOK = {
  light: {sea: '#E3ECEE', rim: '#FFFFFF', outline: '#3F524A', ink: '#15211C', none: '#ECEEEC', mark: '#9AA6A0',
          pick: '#B23C06', halo: '#FFFFFF', shade: '#33443F', card: 'rgba(255,255,255,.95)'},
  dark: {sea: '#101B1F', rim: '#16201C', outline: '#B9C9C1', ink: '#E9F0EC', none: '#28332F', mark: '#6D7C75',
         pick: '#FF9D5C', halo: '#0E1613', shade: '#000000', card: 'rgba(22,32,28,.95)'},
}
const CSS = `
.geomap { position: absolute; inset: 0; border-radius: 9px; overflow: hidden; font: 13px/1.4 var(--sans); color: var(--ink); background: var(--sea); }
.geomap .maplibregl-canvas:focus-visible { outline: 3px solid var(--pick); outline-offset: -3px; border-radius: 9px; }
.card { background: var(--card); border-radius: 9px; box-shadow: 0 1px 3px rgb(0 0 0 / .12), 0 0 0 1px var(--line); }
.title { padding: 8px 13px; font-size: 14.5px; font-weight: 600; max-width: 420px; }
.legend { padding: 10px 13px 11px; max-width: 330px; }
.legend b { display: block; font-weight: 600; margin-bottom: 7px; }
.bar { display: flex; } .bar i { height: 12px; } .bar i:first-child { border-radius: 3px 0 0 3px; } .bar i:last-child { border-radius: 0 3px 3px 0; }
.ticks { position: relative; height: 18px; color: var(--soft); font-size: 12px; font-variant-numeric: tabular-nums; }
.ticks span { position: absolute; top: 3px; transform: translateX(-50%); white-space: nowrap; }
.keys { display: flex; flex-wrap: wrap; gap: 5px 14px; color: var(--soft); font-size: 12.5px; }
.bar + .ticks + .keys { margin-top: 7px; } .keys:empty { display: none; }
.keys span { display: flex; align-items: center; gap: 7px; } .keys i, .keys canvas { width: 18px; height: 12px; border-radius: 3px; box-shadow: inset 0 0 0 1px rgb(128 128 128 / .3); }
.geomap .maplibregl-ctrl-group { background: var(--card); box-shadow: 0 1px 3px rgb(0 0 0 / .12), 0 0 0 1px var(--line); }
.geomap .maplibregl-ctrl-group button + button { border-color: var(--line); }
.geomap[data-look=dark] .maplibregl-ctrl-group button span { filter: invert(.9); }
.geomap .maplibregl-ctrl-group button:focus-visible { outline: 3px solid var(--pick); }
.geomap .maplibregl-ctrl-scale { background: transparent; border-color: var(--soft); border-width: 0 1.5px 1.5px; color: var(--soft); font: 12px/14px var(--sans); height: 16px; }
.geomap .maplibregl-ctrl-attrib { background: var(--card); border-radius: 5px; color: var(--soft); font-size: 11.5px; padding: 1px 7px; margin: 0 10px 10px 0; max-width: 46%; }
.geomap .maplibregl-ctrl-bottom-left { display: flex; flex-direction: column; align-items: flex-start; }
.geomap .maplibregl-popup-content { background: var(--card); color: var(--ink); border-radius: 9px; padding: 8px 12px; font: 13px/1.4 var(--sans); box-shadow: 0 2px 10px rgb(0 0 0 / .2), 0 0 0 1px var(--line); }
.geomap .maplibregl-popup-tip { display: none; }
.tip b { display: block; font-weight: 600; } .tip span { color: var(--soft); }
.live { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.paper { position: absolute; inset: 0; width: 100%; height: 100%; display: none; object-fit: contain; z-index: 9; }
.plain { position: absolute; inset: 0; width: 100%; height: 100%; } .plain path { stroke: var(--rim); stroke-width: 1; vector-effect: non-scaling-stroke; cursor: pointer; }
.plain path.pick { stroke: var(--pick); stroke-width: 3; }
.corner { position: absolute; left: 10px; } .corner.title { top: 10px; } .corner.legend { bottom: 10px; }
.geomap[data-narrow] .title { max-width: 60%; } .geomap[data-narrow] .legend { max-width: 240px; } .geomap[data-narrow] .maplibregl-ctrl-attrib { display: none; }
`
const tag = (name, cls = '', text = null) => { const e = document.createElement(name); if (cls) e.className = cls; if (text != null) e.textContent = text; return e }
const escape = text => tag('i', '', text).innerHTML
const geo = data => ({type: 'geojson', data: data?.type ? data : {type: 'FeatureCollection', features: []}})

// one tile of a seamless hatch: nothing is published here
function hatch(L) {
  const n = 16, c = tag('canvas'); c.width = c.height = n
  const g = c.getContext('2d', {willReadFrequently: true})
  g.fillStyle = L.none; g.fillRect(0, 0, n, n); g.strokeStyle = L.mark; g.lineWidth = 2.4; g.beginPath()
  for (const o of [-n, 0, n]) { g.moveTo(o - 2, n + 2); g.lineTo(o + n + 2, -2) }
  g.stroke()
  return c
}

// MapLibre fetches its pictures: a blob of our own needs no data: address
function local(url) {
  const [head, body] = url.split(',')
  return URL.createObjectURL(new Blob([Uint8Array.from(atob(body), c => c.charCodeAt(0))], {type: head.slice(5).split(';')[0]}))
}

// the UMD file sets globalThis.maplibregl and runs once a page, however many maps there are
async function library(base) {
  const root = new URL(base.replace(/\/?$/, '/'), new URL(document.baseURI).origin)
  if (!globalThis.maplibregl) await import(new URL('maplibre-gl.js', root).href)
  return [globalThis.maplibregl, new URL('maplibre-gl.css', root).href]
}

function rings(f) { return f.geometry.type === 'Polygon' ? [f.geometry.coordinates] : f.geometry.coordinates }

function middles(features) {
  const all = new Map()
  for (const f of features) {
    let w = 180, s = 90, e = -180, n = -90
    for (const [x, y] of rings(f).flat(2)) { w = Math.min(w, x); e = Math.max(e, x); s = Math.min(s, y); n = Math.max(n, y) }
    all.set(String(f.properties.code), {name: f.properties.name, x: (w + e) / 2, y: (s + n) / 2})
  }
  return all
}

export async function render({model}) {
  const [ml, href] = await library(model.base)
  const wrap = tag('div'), css = tag('link'), box = tag('div', 'geomap'), live = tag('div', 'live')
  css.rel = 'stylesheet'; css.href = href                                // a shadow root sees no style of the page
  wrap.style.cssText = 'position:absolute;inset:0'
  wrap.append(css, tag('style', '', CSS), box)
  live.setAttribute('aria-live', 'polite'); box.append(live)

  const root = document.documentElement, words = model.words
  const look = () => (root.dataset.look === 'dark' ? 'dark' : 'light')
  const calm = () => matchMedia('(prefers-reduced-motion: reduce)').matches
  const ms = n => (calm() ? 0 : n)
  let L = LOOK[look()], regions = middles(model.regions.features || [])
  const has = id => model.frame.values?.[id] != null
  const told = id => model.frame.told?.[id] ?? ''

  // ---- what stands over the map
  const title = tag('div', 'card title'), legend = tag('div', 'card legend')
  legend.setAttribute('role', 'group'); legend.setAttribute('aria-label', words.legend)
  const drawLegend = () => {
    const s = model.scale, pixels = model.raster?.legend, keys = tag('div', 'keys')
    const key = (mark, text) => { const e = tag('span'); e.append(mark, text); keys.append(e) }
    const swatch = colour => { const e = tag('i'); e.style.background = colour; return e }
    if (pixels) {
      for (const [colour, name] of pixels) key(swatch(colour), name)
      return legend.replaceChildren(tag('b', '', model.raster.title), keys)
    }
    const bar = tag('div', 'bar'), ticks = tag('div', 'ticks')
    const wide = Math.max(34, 7.5 * Math.max(0, ...s.ticks.map(t => t.length)) + 8)    // no two numbers may touch
    for (const c of s.colours) { const e = swatch(c); e.style.width = wide + 'px'; bar.append(e) }
    s.ticks.forEach((t, i) => { const e = tag('span', '', t); e.style.left = wide * (i + 1) + 'px'; ticks.append(e) })
    ticks.style.width = wide * s.colours.length + 'px'
    const empty = [...regions.keys()].filter(id => !has(id)).length
    if (empty) {
      const c = tag('canvas'), g = c.getContext('2d'); c.width = 36; c.height = 24
      g.fillStyle = g.createPattern(hatch(L), 'repeat'); g.fillRect(0, 0, 36, 24); key(c, `${words.none} (${empty})`)
    }
    legend.replaceChildren(tag('b', '', s.title), bar, ticks, keys)
  }
  const dress = () => {
    const name = look(); L = LOOK[name]; box.dataset.look = name
    for (const [k, v] of Object.entries(L)) box.style.setProperty('--' + k, v)
    return name
  }
  const choose = id => { model.clicked = {code: id, n: (model.clicked.n || 0) + 1} }
  const watchLook = new MutationObserver(() => redress())
  let redress = () => { dress(); drawLegend() }
  watchLook.observe(root, {attributes: true, attributeFilter: ['data-look']})
  dress()

  if (!document.createElement('canvas').getContext('webgl2')) {
    plain()
    model.on('remove', () => watchLook.disconnect())
    return wrap
  }

  const on = (k, yes, no) => ['case', ['boolean', ['feature-state', k], false], yes, no]
  const classes = () => ['step', ['number', ['feature-state', 'v'], 0], model.scale.colours[0], ...model.scale.breaks.flatMap((b, i) => [b, model.scale.colours[i + 1]])]
  const round = {'line-join': 'round'}
  const map = new ml.Map({
    container: box, trackResize: false, keyboard: false, dragRotate: false, pitchWithRotate: false, touchPitch: false, scrollZoom: false,
    bounds: model.bounds, fadeDuration: 0, renderWorldCopies: false, attributionControl: false, maxZoom: 14, dragPan: calm() ? {maxSpeed: 0} : true,
    style: {version: 8, sources: {edge: geo(model.outline), reg: {...geo(model.regions), promoteId: 'code'}}, layers: [
      {id: 'sea', type: 'background'},
      {id: 'shade', type: 'line', source: 'edge', layout: round, paint: {'line-width': 9, 'line-blur': 8, 'line-opacity': .34, 'line-translate': [0, 2]}},
      {id: 'fill', type: 'fill', source: 'reg', paint: {'fill-opacity': on('has', 1, 0), 'fill-antialias': false}},
      {id: 'none', type: 'fill', source: 'reg', paint: {'fill-opacity': on('has', 0, 1)}},     // a pattern cannot read feature state, opacity can
      {id: 'rim', type: 'line', source: 'reg', layout: round, paint: {'line-width': 1.3}},
      {id: 'edge', type: 'line', source: 'edge', layout: round, paint: {'line-width': 1.4}},
      {id: 'halo', type: 'line', source: 'reg', layout: round, paint: {'line-width': 6, 'line-opacity': on('pick', 1, 0)}},
      {id: 'near', type: 'line', source: 'reg', layout: round, paint: {'line-width': 2.2, 'line-opacity': on('near', 1, 0)}},
      {id: 'pick', type: 'line', source: 'reg', layout: round, paint: {'line-width': 3, 'line-opacity': on('pick', 1, 0)}},
    ]}})
  box.map = map                                                          // for tests
  map.on('error', e => console.error('map:', e.error?.message))
  const control = e => { e.classList.add('maplibregl-ctrl'); return {onAdd: () => e, onRemove: () => e.remove()} }
  map.addControl(control(title), 'top-left')
  map.addControl(new ml.NavigationControl({showCompass: false}), 'top-right')
  map.addControl(new ml.ScaleControl({maxWidth: 110}), 'bottom-left')
  map.addControl(control(legend), 'bottom-left')
  map.addControl(new ml.AttributionControl({compact: false, customAttribution: escape(model.attribution)}), 'bottom-right')

  // ---- painting
  const paint = () => {
    const image = `none-${dress()}`                                        // an image per look: updating one leaves seams between tiles
    if (!map.hasImage(image)) map.addImage(image, hatch(L).getContext('2d').getImageData(0, 0, 16, 16), {pixelRatio: 2})
    map.setPaintProperty('none', 'fill-pattern', image)
    map.setPaintProperty('sea', 'background-color', L.sea)
    for (const [layer, part] of Object.entries({shade: 'shade', rim: 'rim', edge: 'outline', halo: 'halo', near: 'ink', pick: 'pick'})) map.setPaintProperty(layer, 'line-color', L[part])
    rescale()
  }
  const rescale = () => { map.setPaintProperty('fill', 'fill-color', classes()); drawLegend() }
  let steps = 0, url = ''
  const step = () => {
    for (const id of regions.keys()) map.setFeatureState({source: 'reg', id}, {has: has(id), v: has(id) ? model.frame.values[id] : 0})
    title.textContent = model.frame.title; drawLegend(); describe()
    if (tipped) tip(tipped.id, tipped.at)
    map.once('idle', () => { box.dataset.steps = ++steps })
  }
  const raster = () => {
    const r = model.raster, shown = Boolean(r?.url), old = url
    if (shown) {
      const [w, s, e, n] = r.bounds, coordinates = [[w, n], [e, n], [e, s], [w, s]]
      url = local(r.url)
      if (map.getSource('raster')) map.getSource('raster').updateImage({url, coordinates})
      else {
        map.addSource('raster', {type: 'image', url, coordinates})
        map.addLayer({id: 'raster', type: 'raster', source: 'raster', paint: {'raster-resampling': 'nearest', 'raster-fade-duration': 0}}, 'rim')
      }
      if (old) map.once('idle', () => URL.revokeObjectURL(old))
    }
    if (map.getLayer('raster')) map.setLayoutProperty('raster', 'visibility', shown ? 'visible' : 'none')
    for (const id of ['fill', 'none']) map.setLayoutProperty(id, 'visibility', shown ? 'none' : 'visible')
    map.setPaintProperty('rim', 'line-opacity', shown ? .6 : 1)
    box.dataset.raster = shown
    drawLegend()
  }

  // ---- selection, pointer, keyboard
  let marked = [], near = '', tipped = null, cursor = '', moved = false
  const mark = (id, what, yes) => { if (regions.has(id)) map.setFeatureState({source: 'reg', id}, {[what]: yes}) }
  const select = () => { for (const id of marked) mark(id, 'pick', false); marked = model.marked; for (const id of marked) mark(id, 'pick', true) }
  const hover = id => { mark(near, 'near', false); near = id; mark(near, 'near', true) }
  const pop = new ml.Popup({closeButton: false, closeOnClick: false, maxWidth: '300px', offset: 12})
  const tip = (id, at) => {
    const e = tag('div', 'tip'); e.append(tag('b', '', regions.get(id).name), tag('span', '', told(id)))
    pop.setDOMContent(e).setLngLat(at).addTo(map); tipped = {id, at}
  }
  const untip = () => { hover(''); pop.remove(); tipped = null; map.getCanvas().style.cursor = '' }
  const under = e => map.queryRenderedFeatures(e.point, {layers: ['rim', 'fill', 'none'].filter(l => map.getLayoutProperty(l, 'visibility') !== 'none')})[0]?.properties.code
                     ?? inside(e.lngLat)
  // with pixels shown the fills are hidden, and only the rims would be found
  const inside = at => (model.regions.features || []).find(f => rings(f).some(p => p.reduce((odd, ring) => odd !== within(ring, at), false)))?.properties.code
  map.on('click', e => { const id = under(e); if (id) { cursor = id; choose(id) } })
  map.on('mousemove', e => { const id = under(e); if (!id) return untip(); if (id !== near) hover(id); map.getCanvas().style.cursor = 'pointer'; tip(id, e.lngLat) })
  map.on('mouseout', untip)
  map.on('movestart', e => { if (e.originalEvent) moved = true })

  // leave room for the legend, beside the country or below it, whichever lets the country be larger
  const home = duration => {
    const beside = {top: 54, bottom: 46, left: legend.offsetWidth + 24, right: 52}, below = {top: 54, bottom: legend.offsetHeight + 56, left: 26, right: 26}
    const [first, second] = [beside, below].map(padding => ({padding, zoom: map.cameraForBounds(model.bounds, {padding})?.zoom ?? -1}))
    map.fitBounds(model.bounds, {padding: (first.zoom > second.zoom ? first : second).padding, duration})
  }
  const canvas = map.getCanvas()
  canvas.setAttribute('role', 'application')
  const describe = () => canvas.setAttribute('aria-label', `${model.frame.title}. ${words.keys}`)
  const goto = id => {
    cursor = id; const r = regions.get(id)
    hover(id); tip(id, [r.x, r.y]); live.textContent = `${r.name}: ${told(id)}`
    if (!map.getBounds().contains([r.x, r.y])) map.easeTo({center: [r.x, r.y], duration: ms(300)})
  }
  const toward = way => {                                                // the nearest middle that lies that way
    const from = regions.get(cursor) || regions.get(marked[0]) || {x: map.getCenter().lng, y: map.getCenter().lat}
    let best = '', least = Infinity
    for (const [id, r] of regions) {
      const dx = r.x - from.x, dy = r.y - from.y, along = dx * way[0] + dy * way[1], off = Math.abs(dx * way[1]) + Math.abs(dy * way[0])
      if (r !== from && along > 1e-9 && off <= 1.2 * along && along + 1.6 * off < least) { least = along + 1.6 * off; best = id }
    }
    if (best) goto(best)
  }
  canvas.addEventListener('keydown', e => {
    const way = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1]}[e.key]
    if (e.ctrlKey || e.altKey || e.metaKey) return
    if (way && e.shiftKey) { moved = true; map.panBy([way[0] * 90, -way[1] * 90], {duration: ms(250)}) }
    else if (way) toward(way)
    else if (e.key === 'Enter' || e.key === ' ') { if (cursor) { choose(cursor); live.textContent = `${regions.get(cursor).name}: ${words.selected}` } }
    else if (e.key === '+' || e.key === '=') { moved = true; map.zoomIn({duration: ms(250)}) }
    else if (e.key === '-') { moved = true; map.zoomOut({duration: ms(250)}) }
    else if (e.key === 'Home') { moved = false; home(ms(400)) }
    else if (e.key === 'Escape') { untip(); choose('') }
    else return                                                          // Tab and the rest stay with the page
    e.preventDefault(); e.stopPropagation()
  })
  canvas.addEventListener('blur', untip)

  // ---- on paper the page takes another width and the canvas does not follow: print a still picture instead
  const paper = tag('img', 'paper'); paper.alt = ''; box.append(paper)
  const before = () => { map.redraw(); paper.src = canvas.toDataURL('image/png'); paper.style.display = 'block' }
  const after = () => { paper.style.display = 'none'; paper.removeAttribute('src') }
  addEventListener('beforeprint', before); addEventListener('afterprint', after)

  // ---- life
  redress = paint
  const refit = () => {
    regions = middles(model.regions.features || [])
    map.getSource('edge').setData(geo(model.outline).data); map.getSource('reg').setData(geo(model.regions).data)
    map.removeFeatureState({source: 'reg'}); marked = []; cursor = ''; untip()
  }
  map.once('style.load', paint)                                          // the pattern must exist before the first tile asks for it
  map.on('load', () => {
    select(); step(); raster(); home(0)
    model.on('regions', () => { refit(); step(); select(); moved = false; home(0) })
    model.on('frame', step); model.on('scale', rescale); model.on('raster', raster); model.on('marked', select)
    map.once('idle', () => { box.dataset.ready = '1' })
  })
  const watch = new ResizeObserver(() => { box.toggleAttribute('data-narrow', box.clientWidth <= 620); map.resize(); if (!moved) home(0) })
  watch.observe(box)
  model.on('remove', () => {
    watch.disconnect(); watchLook.disconnect(); removeEventListener('beforeprint', before); removeEventListener('afterprint', after); map.remove()
    if (url) URL.revokeObjectURL(url)
  })
  return wrap

  // ---- without WebGL: the same regions and classes as plain shapes
  function plain() {
    const NS = 'http://www.w3.org/2000/svg', svg = document.createElementNS(NS, 'svg'), shapes = new Map()
    svg.setAttribute('class', 'plain'); svg.setAttribute('role', 'img')
    title.classList.add('corner'); legend.classList.add('corner'); box.append(svg, title, legend)
    const colour = v => model.scale.colours[model.scale.breaks.filter(b => v >= b).length]
    const build = () => {
      const [w, s, e, n] = model.bounds, k = Math.cos((s + n) / 2 * Math.PI / 180), pad = (e - w) * .12
      svg.setAttribute('viewBox', [(w - pad) * k, -(n + pad), (e - w + 2 * pad) * k, n - s + 2 * pad].join(' '))
      regions = middles(model.regions.features || []); shapes.clear(); svg.replaceChildren()
      for (const f of model.regions.features || []) {
        const path = document.createElementNS(NS, 'path'), id = String(f.properties.code)
        path.setAttribute('d', rings(f).flat().map(r => 'M' + r.map(([x, y]) => `${x * k},${-y}`).join('L') + 'Z').join(''))
        path.setAttribute('fill-rule', 'evenodd'); path.addEventListener('click', () => choose(id))
        path.append(document.createElementNS(NS, 'title')); shapes.set(id, path); svg.append(path)
      }
      draw()
    }
    const draw = () => {
      for (const [id, path] of shapes) {
        path.setAttribute('fill', has(id) ? colour(model.frame.values[id]) : L.mark)
        path.setAttribute('class', model.marked.includes(id) ? 'pick' : ''); path.firstChild.textContent = `${regions.get(id).name}: ${told(id)}`
      }
      title.textContent = model.frame.title; svg.setAttribute('aria-label', model.frame.title); drawLegend(); box.dataset.ready = 'plain'
    }
    redress = () => { dress(); draw() }
    model.on('regions', build); for (const p of ['frame', 'scale', 'marked']) model.on(p, draw)
    build()
  }
}

// even-odd rule
function within(ring, {lng, lat}) {
  let odd = false
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
    const [xi, yi] = ring[i], [xj, yj] = ring[j]
    if (yi > lat !== yj > lat && lng < (xj - xi) * (lat - yi) / (yj - yi) + xi) odd = !odd
  }
  return odd
}
