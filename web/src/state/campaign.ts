/** A campaign that is followed: its file, read again and again while it is computed. */
import { computed, effect, signal } from '@preact/signals';
import { finishedRows, readCampaign } from '../data/campaign';
import type { CampaignNow } from '../data/campaign';
import { sentence } from './explorer';
import type { Explorer } from './explorer';

/** Milliseconds between two looks. */
export const EVERY = 2000;

export class Following {
  readonly now = signal<CampaignNow | null>(null);
  /** Why the last look failed; null where it did not. */
  readonly trouble = signal<string | null>(null);
  /** Whether cells that have finished are marked on the map. */
  readonly marked = signal(true);
  private text = '';
  private timer: ReturnType<typeof setTimeout> | undefined;
  private looking = false;
  private stops: (() => void)[] = [];

  constructor(private readonly explorer: Explorer) {}

  readonly rows = computed(() => finishedRows(this.now.value?.runs ?? [], this.explorer.count));

  /** Whether there may be something new. */
  readonly live = computed(
    () => this.explorer.manifest.campaign?.live === true && this.now.value?.done !== true,
  );

  /** Begin; from then on it goes on by itself until the campaign is done. */
  begin(): void {
    if (this.stops.length > 0 || this.explorer.manifest.campaign === null) return;
    const seen = () => {
      if (!document.hidden) this.again(0);
    };
    document.addEventListener('visibilitychange', seen);
    let before: Uint32Array | null = null;
    this.stops = [
      () => document.removeEventListener('visibilitychange', seen),
      effect(() => {
        const rows = this.marked.value ? this.rows.value : new Uint32Array(0);
        // As long as nothing is marked, marks of others stay.
        if (rows.length > 0 || before !== null) this.explorer.highlighted.value = rows;
        before = rows.length > 0 ? rows : null;
      }),
    ];
    this.again(0);
  }

  end(): void {
    clearTimeout(this.timer);
    for (const stop of this.stops) stop();
    this.stops = [];
  }

  private again(milliseconds: number): void {
    clearTimeout(this.timer);
    if (this.now.peek() !== null && !this.live.peek()) return;
    this.timer = setTimeout(() => void this.look(), milliseconds);
  }

  private async look(): Promise<void> {
    // A hidden page looks when it is seen again.
    if (this.looking || (document.hidden && this.now.peek() !== null)) return;
    this.looking = true;
    try {
      const bytes = await this.explorer.source.bytes(this.explorer.manifest.campaign!.file);
      const text = new TextDecoder().decode(bytes);
      if (text !== this.text) {
        this.now.value = readCampaign(text);
        this.text = text;
      }
      this.trouble.value = null;
    } catch (error) {
      this.trouble.value = sentence(error);
    }
    this.looking = false;
    if (this.stops.length > 0 && this.explorer.manifest.campaign!.live) this.again(EVERY);
  }
}

const followed = new WeakMap<Explorer, Following>();

/** The campaign of an explorer: one, made when first asked for. */
export function campaignOf(explorer: Explorer): Following {
  let following = followed.get(explorer);
  if (following === undefined) {
    const made = new Following(explorer);
    following = made;
    followed.set(explorer, made);
    explorer.onDestroy(() => made.end());
  }
  return following;
}
