/** The engine as a module worker; to be bundled by `./worker?worker&inline`, as `start.ts` does. */

import type { Port } from './protocol';
import { serve } from './serve';

serve(globalThis as unknown as Port);
