/** The whole state in the address, so that a link shows somebody else the same. */
import { batch } from '@preact/signals';
import { rounded } from '../data/region';
import type { Region } from '../data/region';
import type { Explorer } from './explorer';

/** Extra parts of the state, kept by views that have some: name and value, as text. */
export interface Part {
  readonly key: string;
  read(): string | null;
  write(text: string | null): void;
}

const number = (value: number) => String(rounded(value));

/** The state as text; what is as at the beginning is left out. */
export function addressOf(explorer: Explorer, parts: readonly Part[] = []): string {
  const { manifest } = explorer;
  const state = new URLSearchParams();
  const put = (key: string, value: string | null, usual: string | null) => {
    if (value !== null && value !== usual) state.set(key, value);
  };
  put('x', explorer.x.value, manifest.start.x);
  put('y', explorer.y.value, manifest.start.y);
  put('colour', explorer.colour.value, manifest.start.colour);
  put('size', explorer.size.value, null);
  put('xscale', explorer.xScale.value, explorer.column(explorer.x.value).scale);
  put('yscale', explorer.yScale.value, explorer.column(explorer.y.value).scale);
  put('draw', explorer.mode.value, 'points');
  put('front', explorer.front.value ? 'yes' : 'no', 'yes');
  put('marks', explorer.marks.value ? 'yes' : 'no', 'yes');
  put('panel', explorer.panel.value, 'cell');
  const view = explorer.view.value;
  if (view !== null) put('view', [view.x0, view.x1, view.y0, view.y1].map(number).join(','), null);
  void explorer.filtered.value;
  for (const name of explorer.filters.names) {
    const range = explorer.filters.range(name)!;
    state.append('keep', `${name}:${range.map(String).join(',')}`);
  }
  const cell = explorer.inHand.value;
  if (cell !== null && cell.row >= 0) put('cell', String(explorer.id(cell.row)), null);
  const pins = explorer.pins.value;
  if (pins.length > 0) put('pins', pins.map((row) => explorer.id(row)).join(','), null);
  const region = explorer.region.value;
  if (region !== null) {
    const corners = region.points.map((point) => point.map(number).join(',')).join(';');
    const names = [region.x, region.y].map(encodeURIComponent);
    put('select', [region.shape, ...names, corners].join('|'), null);
  }
  for (const part of parts) put(part.key, part.read(), null);
  return state.toString();
}

/** Take up a state. What is nonsense is left out, and told. */
export function takeAddress(explorer: Explorer, text: string, parts: readonly Part[] = []): void {
  const state = new URLSearchParams(text.replace(/^#/, ''));
  const wrong: string[] = [];
  const known = new Set([
    ...['x', 'y', 'colour', 'size', 'xscale', 'yscale', 'draw', 'front', 'marks', 'view', 'keep'],
    ...['cell', 'pins', 'select', 'surface', 'panel'],
    ...parts.map((part) => part.key),
  ]);
  for (const key of state.keys()) if (!known.has(key)) wrong.push(key);
  const column = (key: string): string | null => {
    const name = state.get(key);
    if (name === null) return null;
    if (explorer.columns.has(name)) return name;
    wrong.push(`${key}=${name}`);
    return null;
  };
  const choice = <T extends string>(key: string, of: readonly T[]): T | null => {
    const value = state.get(key);
    if (value === null) return null;
    const found = of.find((one) => one === value);
    if (found === undefined) wrong.push(`${key}=${value}`);
    return found ?? null;
  };
  const row = (id: string): number => {
    const found = /^\d+$/.test(id) ? explorer.rowOfId(Number(id)) : -1;
    if (found < 0) wrong.push(`cell ${id}`);
    return found;
  };
  batch(() => {
    const { manifest } = explorer;
    explorer.x.value = column('x') ?? manifest.start.x;
    explorer.y.value = column('y') ?? manifest.start.y;
    explorer.colour.value = column('colour') ?? manifest.start.colour;
    explorer.size.value = column('size');
    const scales = ['linear', 'log'] as const;
    explorer.xScale.value = choice('xscale', scales) ?? explorer.column(explorer.x.value).scale;
    explorer.yScale.value = choice('yscale', scales) ?? explorer.column(explorer.y.value).scale;
    explorer.mode.value = choice('draw', ['points', 'density']) ?? 'points';
    explorer.front.value = choice('front', ['yes', 'no']) !== 'no';
    explorer.marks.value = choice('marks', ['yes', 'no']) !== 'no';
    explorer.panel.value = choice('panel', ['cell', 'compare', 'searches', 'campaign']) ?? 'cell';
    const view = state.get('view');
    explorer.view.value = null;
    if (view !== null) {
      const [x0, x1, y0, y1] = view.split(',').map(Number);
      if ([x0, x1, y0, y1].every(Number.isFinite) && x0 < x1 && y0 < y1) {
        explorer.view.value = { x0, x1, y0, y1 };
      } else wrong.push(`view=${view}`);
    }
    const keeps = state.getAll('keep').flatMap((text) => {
      const parts = /^(.+):([^,:]+),([^,:]+)$/.exec(text);
      const [low, high] = [Number(parts?.[2]), Number(parts?.[3])];
      if (parts !== null && explorer.columns.has(parts[1]) && low <= high) {
        return [{ name: parts[1], range: [low, high] as const }];
      }
      wrong.push(`keep=${text}`);
      return [];
    });
    for (const name of explorer.filters.names) {
      if (!keeps.some((keep) => keep.name === name)) explorer.filter(name, null);
    }
    for (const { name, range } of keeps) {
      if (!explorer.shownFilters.value.includes(name)) {
        explorer.shownFilters.value = [...explorer.shownFilters.value, name];
      }
      explorer.filter(name, range);
    }
    const cell = state.get('cell');
    if (cell !== null) explorer.takeRow(row(cell));
    else explorer.inHand.value = null;
    const pins = state.get('pins');
    explorer.pins.value =
      pins === null
        ? []
        : [...new Set(pins.split(',').map(row))].filter((at) => at >= 0).slice(0, 4);
    const select = state.get('select');
    explorer.region.value = select === null ? null : regionOf(explorer, select);
    if (select !== null && explorer.region.value === null) wrong.push('select');
    for (const part of parts) part.write(state.get(part.key));
  });
  if (wrong.length > 0) {
    const few = wrong.slice(0, 3).join(', ').slice(0, 120);
    explorer.notice.value = `Left out, since the address says it in a way that this table has not: ${few}`;
  }
}

function regionOf(explorer: Explorer, text: string): Region | null {
  const [shape, encodedX = '', encodedY = '', corners = ''] = text.split('|');
  if (shape !== 'box' && shape !== 'lasso') return null;
  const [x, y] = [decodeURIComponent(encodedX), decodeURIComponent(encodedY)];
  const points = corners.split(';').map((corner) => corner.split(',').map(Number));
  const whole = points.every((point) => point.length === 2 && point.every(Number.isFinite));
  const enough = shape === 'box' ? points.length === 2 : points.length >= 3;
  if (!whole || !enough || !explorer.columns.has(x) || !explorer.columns.has(y)) return null;
  return { shape, x, y, points: points.map(([a, b]) => [a, b] as const) };
}
