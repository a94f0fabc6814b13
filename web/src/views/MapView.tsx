/** The map: every cell a point. Zoom, pan, select, hover and take; by pointer, touch and keyboard. */
import { useComputed, useSignal, useSignalEffect } from '@preact/signals';
import { select } from 'd3-selection';
import { zoom, zoomIdentity } from 'd3-zoom';
import type { D3ZoomEvent, ZoomBehavior } from 'd3-zoom';
import { useEffect, useRef } from 'preact/hooks';
import { rounded } from '../data/region';
import type { Region } from '../data/region';
import { AxisView } from '../draw/axes';
import { Raster } from '../draw/raster';
import { shown } from '../draw/scales';
import type { Surface, View } from '../draw/surface';
import { openWebGL, hasGraphicsCard } from '../draw/webgl';
import { useShared } from './context';
import { lookOf } from './look';
import { theme } from './theme';
import { TraceOverlay } from './TraceOverlay';

const LEFT = 64;
const RIGHT = 14;
const TOP = 12;
const BOTTOM = 48;
/** Pixels within which a point is under the pointer. */
const REACH = 9;

export function MapView() {
  const { explorer, scene } = useShared();
  const frame = useRef<HTMLDivElement>(null);
  const overlay = useRef<SVGSVGElement>(null);
  const size = useSignal({ width: 0, height: 0 });
  const surface = useRef<{ points: Surface | null; raster: Raster } | null>(null);
  const canvases = {
    points: useRef<HTMLCanvasElement>(null),
    raster: useRef<HTMLCanvasElement>(null),
  };
  const drawnBy = useSignal<'canvas' | 'webgl'>('canvas');
  const most = useSignal(0);
  const drawing = useSignal<[number, number][] | null>(null);
  const { width, height } = size.value;
  const view = explorer.seen.value;
  const [xAxis, yAxis] = [explorer.xAxis.value, explorer.yAxis.value];

  // Size of the frame, and what is drawn on.
  useEffect(() => {
    const raster = new Raster(canvases.raster.current!);
    surface.current = { points: null, raster };
    const wish = new URLSearchParams(location.hash.slice(1)).get('surface');
    if (wish === 'webgl' || (wish !== 'canvas' && hasGraphicsCard())) {
      surface.current.points = openWebGL(canvases.points.current!);
      if (surface.current.points !== null) drawnBy.value = 'webgl';
      else explorer.notice.value = 'This browser has no WebGL: drawn on a canvas.';
    }
    // Browsers take a context away, where a page has many (a notebook) or the card begins anew.
    const lost = () => {
      if (surface.current === null) return;
      surface.current.points = null;
      drawnBy.value = 'canvas';
      explorer.notice.value = 'The browser has taken WebGL away: drawn on a canvas.';
    };
    const points = canvases.points.current!;
    points.addEventListener('webglcontextlost', lost);
    const measure = () => {
      // The observer ends a frame later than the element.
      const box = frame.current?.getBoundingClientRect();
      if (box === undefined) return;
      const next = {
        width: Math.max(80, Math.floor(box.width) - LEFT - RIGHT),
        height: Math.max(80, Math.floor(box.height) - TOP - BOTTOM),
      };
      if (next.width !== size.peek().width || next.height !== size.peek().height) size.value = next;
    };
    const observer = new ResizeObserver(measure);
    observer.observe(frame.current!);
    measure();
    return () => {
      observer.disconnect();
      points.removeEventListener('webglcontextlost', lost);
      clearTimeout(preparing.current);
      surface.current?.points?.destroy();
      surface.current?.raster.destroy();
      surface.current = null;
    };
  }, []);

  // Points: drawn at most once a frame, whatever has changed in between.
  const waiting = useRef(0);
  const preparing = useRef(0);
  useSignalEffect(() => {
    const now = scene.scene.value;
    const seen = explorer.seen.value;
    const mode = explorer.mode.value;
    const dark = theme.value === 'dark';
    void explorer.filtered.value;
    const { width, height } = size.value;
    void drawnBy.value;
    if (now === null || width === 0) return;
    cancelAnimationFrame(waiting.current);
    waiting.current = requestAnimationFrame(() => {
      if (surface.current === null) return;
      const look = lookOf(explorer, frame.current!, dark);
      const ratio = Math.min(2, devicePixelRatio || 1);
      const { points, raster } = surface.current;
      if (mode === 'density' || points === null) {
        raster.resize(width, height, ratio);
        if (mode === 'density') most.value = raster.density(now, seen, look);
        else raster.draw(now, seen, look);
      } else {
        points.resize(width, height, ratio);
        points.draw(now, seen, look);
      }
      frame.current!.dataset.drawn = String(Number(frame.current!.dataset.drawn ?? 0) + 1);
      performance.mark('nb101-map-drawn');
      // The first move of the pointer would take 20 ms longer otherwise.
      clearTimeout(preparing.current);
      preparing.current = window.setTimeout(() => scene.prepare(), 100);
    });
  });

  // Wheel, drag and pinch: d3-zoom's transform, on top of the view that was there when it began.
  const base = useRef<View>(view);
  const own = useRef<View | null>(null);
  const zooming = useRef<ZoomBehavior<SVGSVGElement, undefined> | null>(null);
  useEffect(() => {
    if (width === 0) return;
    const behavior = zoom<SVGSVGElement, undefined>()
      .extent([
        [0, 0],
        [width, height],
      ])
      .scaleExtent([0.2, 5000])
      .filter((event: Event) => {
        if (event instanceof WheelEvent) return true;
        if (event instanceof MouseEvent && (event.shiftKey || event.button !== 0)) return false;
        return (
          explorer.tool.peek() === 'pan' ||
          (event instanceof TouchEvent && event.touches.length > 1)
        );
      })
      .on('zoom', (event: D3ZoomEvent<SVGSVGElement, undefined>) => {
        if (!event.sourceEvent) return;
        const { k, x, y } = event.transform;
        const from = base.current;
        const wide = (from.x1 - from.x0) / k;
        const high = (from.y1 - from.y0) / k;
        const x0 = from.x0 - (x / width) * wide;
        const y1 = from.y1 + (y / height) * high;
        own.current = { x0, x1: x0 + wide, y0: y1 - high, y1 };
        explorer.view.value = own.current;
      });
    zooming.current = behavior;
    select<SVGSVGElement, undefined>(overlay.current!).call(behavior).on('dblclick.zoom', null);
  }, [width, height]);
  useSignalEffect(() => {
    const now = explorer.seen.value;
    if (now === own.current || zooming.current === null) return;
    base.current = now;
    select<SVGSVGElement, undefined>(overlay.current!).property('__zoom', zoomIdentity);
  });

  const positionAt = (event: { clientX: number; clientY: number }) => {
    const box = overlay.current!.getBoundingClientRect();
    const now = explorer.seen.peek();
    const px = event.clientX - box.left - LEFT;
    const py = event.clientY - box.top - TOP;
    return {
      px,
      py,
      u: now.x0 + (px / width) * (now.x1 - now.x0),
      v: now.y1 - (py / height) * (now.y1 - now.y0),
    };
  };

  const hover = (event: PointerEvent) => {
    const at = positionAt(event);
    if (drawing.peek() !== null) {
      const corners = drawing.peek()!;
      const tool = toolOf(event);
      drawing.value = tool === 'box' ? [corners[0], [at.u, at.v]] : [...corners, [at.u, at.v]];
      return;
    }
    const inside = at.px >= 0 && at.px <= width && at.py >= 0 && at.py <= height;
    performance.mark('nb101-pick-begin');
    explorer.hovered.value = inside ? scene.nearest(at.u, at.v, width, height, REACH) : -1;
    performance.measure('nb101-pick', 'nb101-pick-begin');
  };

  const dragTool = useRef<Region['shape']>('box');
  const toolOf = (event: PointerEvent): Region['shape'] =>
    drawing.peek() !== null
      ? dragTool.current
      : explorer.tool.peek() === 'lasso' && !event.shiftKey
        ? 'lasso'
        : 'box';
  const begin = (event: PointerEvent) => {
    if (event.button !== 0 || !event.isPrimary) return;
    pressed.current = [event.clientX, event.clientY];
    if (explorer.tool.peek() === 'pan' && !event.shiftKey) return;
    const at = positionAt(event);
    dragTool.current = toolOf(event);
    drawing.value = [[at.u, at.v]];
    overlay.current!.setPointerCapture(event.pointerId);
  };
  const pressed = useRef<[number, number] | null>(null);
  const end = (event: PointerEvent) => {
    const from = pressed.current;
    pressed.current = null;
    const still = from !== null && Math.hypot(event.clientX - from[0], event.clientY - from[1]) < 4;
    const corners = drawing.peek();
    drawing.value = null;
    if (still) {
      const at = positionAt(event);
      const row = scene.nearest(at.u, at.v, width, height, REACH);
      if (row >= 0) explorer.takeRow(row);
      else explorer.unselect();
      return;
    }
    if (corners === null || corners.length < 2) return;
    const [x, y] = [explorer.xAxis.peek(), explorer.yAxis.peek()];
    if (x === null || y === null) return;
    const shape = dragTool.current;
    explorer.chosen.value = null;
    explorer.region.value = {
      shape,
      x: explorer.x.peek(),
      y: explorer.y.peek(),
      points: corners.map(([u, v]) => [rounded(x.value(u)), rounded(y.value(v))] as const),
    };
  };

  /** Zoom about a position, which stays where it is; about the middle if none is given. */
  const zoomBy = (factor: number, about?: { u: number; v: number }) => {
    const now = explorer.seen.peek();
    const { u, v } = about ?? { u: (now.x0 + now.x1) / 2, v: (now.y0 + now.y1) / 2 };
    explorer.view.value = {
      x0: u + (now.x0 - u) * factor,
      x1: u + (now.x1 - u) * factor,
      y0: v + (now.y0 - v) * factor,
      y1: v + (now.y1 - v) * factor,
    };
  };
  const pan = (dx: number, dy: number) => {
    const now = explorer.seen.peek();
    const [w, h] = [(now.x1 - now.x0) * dx, (now.y1 - now.y0) * dy];
    explorer.view.value = { x0: now.x0 + w, x1: now.x1 + w, y0: now.y0 + h, y1: now.y1 + h };
  };
  const KEYS: Record<string, () => void> = {
    '+': () => zoomBy(0.7),
    '=': () => zoomBy(0.7),
    '-': () => zoomBy(1 / 0.7),
    '0': () => (explorer.view.value = null),
    ArrowLeft: () => pan(-0.1, 0),
    ArrowRight: () => pan(0.1, 0),
    ArrowUp: () => pan(0, 0.1),
    ArrowDown: () => pan(0, -0.1),
    Escape: () => explorer.unselect(),
  };
  const key = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const action = KEYS[event.key] as (() => void) | undefined;
    if (action === undefined) return;
    event.preventDefault();
    action();
  };

  const toPixels = (u: number, v: number): [number, number] => [
    ((u - view.x0) / (view.x1 - view.x0)) * width,
    ((view.y1 - v) / (view.y1 - view.y0)) * height,
  ];
  const pixelsOf = (row: number): [number, number] | null => {
    const place = scene.place(row);
    if (place === null) return null;
    const [x, y] = toPixels(...place);
    return x >= -1 && x <= width + 1 && y >= -1 && y <= height + 1 ? [x, y] : null;
  };

  const outline = useComputed(() => {
    if (drawing.value !== null) return boxed(drawing.value, dragTool.current);
    const region = explorer.region.value;
    const [x, y] = [explorer.xAxis.value, explorer.yAxis.value];
    if (region === null || x === null || y === null) return null;
    if (region.x !== explorer.x.value || region.y !== explorer.y.value) return null;
    const corners = region.points.map(
      ([a, b]) => [x.position(a), y.position(b)] as [number, number],
    );
    return boxed(corners, region.shape);
  }).value;
  const front = explorer.frontLine.value;
  const frontPath =
    front && xAxis && yAxis
      ? frontOf(front.map((row) => pixelsAlways(scene.place(row), toPixels)))
      : '';
  const marks = withLabels(
    (explorer.marks.value ? explorer.manifest.paper : []).flatMap((mark) => {
      const at = pixelsOf(mark.row);
      return at === null ? [] : [{ ...mark, at }];
    }),
    width,
  );
  const inHand = explorer.inHand.value;
  const [xColumn, yColumn] = [explorer.column(explorer.x.value), explorer.column(explorer.y.value)];
  const hovered = explorer.hovered.value;
  const selected = explorer.selected.value !== null;
  const left = selected ? explorer.rowsLeft.value.length : explorer.filters.left;
  void explorer.filtered.value;

  return (
    <div
      ref={frame}
      class="nb-map"
      data-surface={explorer.mode.value === 'density' ? 'canvas' : drawnBy.value}
    >
      <canvas
        ref={canvases.raster}
        aria-hidden="true"
        hidden={explorer.mode.value === 'points' && drawnBy.value === 'webgl'}
        style={{ left: `${LEFT}px`, top: `${TOP}px`, width: `${width}px`, height: `${height}px` }}
      />
      <canvas
        ref={canvases.points}
        aria-hidden="true"
        hidden={explorer.mode.value === 'density' || drawnBy.value === 'canvas'}
        style={{ left: `${LEFT}px`, top: `${TOP}px`, width: `${width}px`, height: `${height}px` }}
      />
      <TraceOverlay left={LEFT} top={TOP} width={width} height={height} />
      <svg
        ref={overlay}
        class={`nb-overlay nb-tool-${explorer.tool.value}`}
        tabindex={0}
        role="application"
        aria-label={`Map of ${left.toLocaleString('en')} cells, ${yColumn.title} by ${xColumn.title}. Arrows move, plus and minus zoom, 0 shows all.`}
        onPointerMove={hover}
        onPointerLeave={() => (explorer.hovered.value = -1)}
        onPointerDown={begin}
        onPointerUp={end}
        onPointerCancel={() => {
          pressed.current = null;
          drawing.value = null;
        }}
        onDblClick={(event) => zoomBy(0.5, positionAt(event))}
        onKeyDown={key}
      >
        <g transform={`translate(${LEFT} ${TOP})`}>
          {xAxis && width > 0 && (
            <AxisView
              side="bottom"
              axis={xAxis}
              column={xColumn}
              from={view.x0}
              to={view.x1}
              width={width}
              height={height}
            />
          )}
          {yAxis && width > 0 && (
            <AxisView
              side="left"
              axis={yAxis}
              column={yColumn}
              from={view.y0}
              to={view.y1}
              width={width}
              height={height}
            />
          )}
          <svg width={width} height={height} class="nb-marks">
            {frontPath !== '' && <path class="nb-front" d={frontPath} />}
            {outline && (
              <polygon
                class="nb-outline"
                points={outline.map(([u, v]) => toPixels(u, v).join(',')).join(' ')}
              />
            )}
            {[...explorer.highlighted.value].slice(0, 2000).map((row) => {
              const at = pixelsOf(row);
              return at && <circle key={row} class="nb-highlight" cx={at[0]} cy={at[1]} r={6} />;
            })}
            {marks.map(({ name, title, at, left, down }) => (
              <g key={name} class="nb-mark" transform={`translate(${at[0]} ${at[1]})`}>
                <title>{title}</title>
                <path d="M0 -7L7 0L0 7L-7 0Z" />
                <text x={left ? -10 : 10} y={4 + down} text-anchor={left ? 'end' : 'start'}>
                  {name}
                </text>
              </g>
            ))}
            {explorer.pins.value.map((row, order) => {
              const at = pixelsOf(row);
              return (
                at && (
                  <g key={row} class="nb-pin" transform={`translate(${at[0]} ${at[1]})`}>
                    <circle r={8} />
                    <text y={4} text-anchor="middle">
                      {'ABCD'[order]}
                    </text>
                  </g>
                )
              );
            })}
            {inHand !== null && inHand.row >= 0 && ring(pixelsOf(inHand.row), 'nb-in-hand')}
            {hovered >= 0 && ring(pixelsOf(hovered), 'nb-hovered')}
          </svg>
        </g>
      </svg>
      {hovered >= 0 && <Tip row={hovered} at={pixelsOf(hovered)} width={width} />}
      {drawnBy.value === 'canvas' && explorer.mode.value === 'points' && (
        <p
          class="nb-surface-note"
          title="Points are written on a canvas: no graphics card is used here"
        >
          drawn on a canvas
        </p>
      )}
      {explorer.mode.value === 'density' && most.value > 0 && (
        <p class="nb-surface-note">
          brightest: {most.value.toLocaleString('en')} cells in one square
        </p>
      )}
    </div>
  );
}

function ring(at: [number, number] | null, name: string) {
  return at && <circle class={name} cx={at[0]} cy={at[1]} r={7} />;
}

function pixelsAlways(
  place: readonly [number, number] | null,
  toPixels: (u: number, v: number) => [number, number],
): [number, number] {
  return place === null ? [NaN, NaN] : toPixels(place[0], place[1]);
}

/** Where the labels of marks stand: left of those at the right edge, and below one that is in the way. */
function withLabels<T extends { name: string; at: [number, number] }>(
  marks: readonly T[],
  width: number,
): (T & { left: boolean; down: number })[] {
  const taken: { from: number; to: number; y: number }[] = [];
  const byHeight = [...marks].sort((a, b) => a.at[1] - b.at[1]);
  return byHeight.map((mark) => {
    const [x, own] = mark.at;
    const left = x > width - 110;
    const long = 10 + 7 * mark.name.length;
    const [from, to] = left ? [x - long, x] : [x, x + long];
    let y = own;
    for (const other of taken) {
      if (from < other.to && to > other.from && y < other.y + 14) y = other.y + 14;
    }
    taken.push({ from, to, y });
    return { ...mark, left, down: y - own };
  });
}

/** A box has its two opposite corners; as a polygon it has four. */
function boxed(corners: readonly [number, number][], shape: Region['shape']): [number, number][] {
  if (shape === 'lasso' || corners.length < 2) return [...corners];
  const [[a, b], [c, d]] = [corners[0], corners[1]];
  return [
    [a, b],
    [c, b],
    [c, d],
    [a, d],
  ];
}

/** Steps between the cells of a front: between two of them nothing is better than the one before. */
function frontOf(points: readonly [number, number][]): string {
  const there = points.filter(([x, y]) => Number.isFinite(x) && Number.isFinite(y));
  return there
    .map(([x, y], at) =>
      at === 0 ? `M${x.toFixed(1)} ${y.toFixed(1)}` : `H${x.toFixed(1)}V${y.toFixed(1)}`,
    )
    .join('');
}

/** What is said of the cell under the pointer. */
function Tip({ row, at, width }: { row: number; at: [number, number] | null; width: number }) {
  const { explorer } = useShared();
  if (at === null) return null;
  const names = new Set([explorer.y.value, explorer.x.value, explorer.colour.value]);
  const style =
    at[0] > width / 2
      ? { right: `${RIGHT + width - at[0] + 14}px`, top: `${TOP + at[1] + 10}px` }
      : { left: `${LEFT + at[0] + 14}px`, top: `${TOP + at[1] + 10}px` };
  return (
    <div class="nb-tip" style={style}>
      <b>cell {explorer.id(row)}</b>
      {[...names].map((name) => {
        const values = explorer.values(name).value;
        return (
          values && (
            <span key={name}>
              {values.column.short}: {shown(values.column, values.data[row])}
              {values.column.kind === 'predicted' ? ' (predicted)' : ''}
            </span>
          )
        );
      })}
    </div>
  );
}
