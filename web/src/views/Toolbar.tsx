/** Which columns the map shows, and how. */
import type { Tool } from '../state/explorer';
import { ColumnSelect } from './ColumnSelect';
import { useExplorer } from './context';
import { Legend } from './Legend';

const TOOLS: readonly { tool: Tool; label: string; help: string }[] = [
  { tool: 'pan', label: 'Move', help: 'Drag moves the map; with Shift it selects a box' },
  { tool: 'box', label: 'Box', help: 'Drag selects the cells in a box' },
  { tool: 'lasso', label: 'Lasso', help: 'Drag around cells to select them' },
];

export function Toolbar() {
  const explorer = useExplorer();
  return (
    <div class="nb-toolbar" role="toolbar" aria-label="The map">
      <AxisChoice which="y" label="Up" />
      <AxisChoice which="x" label="Across" />
      <ColumnSelect
        id="nb-colour"
        label="Colour"
        value={explorer.colour.value}
        onChoose={(name) => name !== null && (explorer.colour.value = name)}
      />
      <ColumnSelect
        id="nb-size"
        label="Size"
        none="all the same"
        value={explorer.size.value}
        onChoose={(name) => (explorer.size.value = name)}
      />
      <div class="nb-buttons" role="group" aria-label="What dragging does">
        {TOOLS.map(({ tool, label, help }) => (
          <button
            key={tool}
            type="button"
            title={help}
            aria-pressed={explorer.tool.value === tool}
            onClick={() => (explorer.tool.value = tool)}
          >
            {label}
          </button>
        ))}
      </div>
      <div class="nb-buttons" role="group" aria-label="What is drawn">
        <button
          type="button"
          title="Points, or how many cells lie where"
          aria-pressed={explorer.mode.value === 'density'}
          onClick={() =>
            (explorer.mode.value = explorer.mode.value === 'density' ? 'points' : 'density')
          }
        >
          Density
        </button>
        <button
          type="button"
          title="The cells that no other beats in both axes, among those left"
          aria-pressed={explorer.front.value}
          onClick={() => (explorer.front.value = !explorer.front.value)}
        >
          Front
        </button>
        {explorer.manifest.paper.length > 0 && (
          <button
            type="button"
            title="Cells that the paper names"
            aria-pressed={explorer.marks.value}
            onClick={() => (explorer.marks.value = !explorer.marks.value)}
          >
            Paper
          </button>
        )}
        <button
          type="button"
          title="Show all cells (0)"
          disabled={explorer.view.value === null}
          onClick={() => (explorer.view.value = null)}
        >
          Reset view
        </button>
      </div>
      <Legend />
    </div>
  );
}

function AxisChoice({ which, label }: { which: 'x' | 'y'; label: string }) {
  const explorer = useExplorer();
  const scale = which === 'x' ? explorer.xScale : explorer.yScale;
  const values = explorer.values(explorer[which].value).value;
  const can = values === null || Number.isFinite(values.lowPositive);
  return (
    <div class="nb-axis-choice">
      <ColumnSelect
        id={`nb-${which}`}
        label={label}
        value={explorer[which].value}
        onChoose={(name) => name !== null && explorer.setAxis(which, name)}
      />
      <button
        type="button"
        class="nb-scale"
        title={can ? 'Logarithmic axis' : 'No number above zero: no logarithmic axis'}
        disabled={!can}
        aria-label={`Logarithmic axis, ${label.toLowerCase()}`}
        aria-pressed={scale.value === 'log'}
        onClick={() => explorer.setScale(which, scale.value === 'log' ? 'linear' : 'log')}
      >
        log
      </button>
    </div>
  );
}
