/** Choose a column of the table, by groups. */
import type { Column, Group } from '../contract';
import { useExplorer } from './context';

export const GROUPS: Record<Group, string> = {
  accuracy: 'Accuracy',
  time: 'Training time',
  network: 'Size and cost',
  shape: 'Shape',
  ops: 'Ops',
  error: 'Spread and uncertainty',
  own: 'Columns of your own',
};

interface Props {
  label: string;
  id: string;
  value: string | null;
  /** What stands for no column, where there may be none. */
  none?: string;
  /** Say the label to screen readers alone. */
  quiet?: boolean;
  without?: readonly string[];
  onChoose: (name: string | null) => void;
}

export function ColumnSelect({ label, id, value, none, quiet, without = [], onChoose }: Props) {
  const explorer = useExplorer();
  const groups = new Map<Group, Column[]>();
  for (const column of explorer.columns.values()) {
    if (without.includes(column.name)) continue;
    groups.set(column.group, [...(groups.get(column.group) ?? []), column]);
  }
  return (
    <label class="nb-field">
      <span class={quiet === true ? 'nb-quiet' : 'nb-label'}>{label}</span>
      <select
        id={id}
        value={value ?? ''}
        onChange={(event) => onChoose(event.currentTarget.value || null)}
      >
        {none !== undefined && <option value="">{none}</option>}
        {(Object.keys(GROUPS) as Group[])
          .filter((group) => groups.has(group))
          .map((group) => (
            <optgroup key={group} label={GROUPS[group]}>
              {groups.get(group)!.map((column) => (
                <option key={column.name} value={column.name}>
                  {column.title}
                </option>
              ))}
            </optgroup>
          ))}
      </select>
    </label>
  );
}
