/** How points are drawn: sizes that follow how many there are, colours of the style. */
import { palette } from '../draw/palette';
import type { Look } from '../draw/surface';
import type { Explorer } from '../state/explorer';

export function lookOf(explorer: Explorer, frame: Element, dark: boolean): Look {
  const style = getComputedStyle(frame);
  const { left } = explorer.filters;
  return {
    palette: palette('viridis', dark),
    background: style.getPropertyValue('--nb-map').trim(),
    faint: style.getPropertyValue('--nb-faint').trim(),
    diameter: left > 50000 ? 2 : left > 5000 ? 3 : left > 500 ? 5 : 7,
    opacity: left > 100000 ? 0.65 : 0.85,
  };
}
