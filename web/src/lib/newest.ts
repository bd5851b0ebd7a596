import { untrack } from 'svelte';
import { live } from './live.svelte';

/** Unix seconds of the newest that there is, which in a capture file is long ago. What depends on it is not told when it moves. */
export function newest(): number {
	return untrack(() => live.event?.now ?? Date.now() / 1000);
}
