/** Light and dark: what the system asks for, or what a person chose. */
import { computed, signal } from '@preact/signals';

export type Theme = 'light' | 'dark';

const wish = matchMedia('(prefers-color-scheme: dark)');
const system = signal<Theme>(wish.matches ? 'dark' : 'light');
wish.addEventListener('change', () => (system.value = wish.matches ? 'dark' : 'light'));

/** Null follows the system. */
export const chosenTheme = signal<Theme | null>(null);
export const theme = computed<Theme>(() => chosenTheme.value ?? system.value);
