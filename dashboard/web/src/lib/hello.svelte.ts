// What the gateway says of itself, first on each connection.
import type { components } from './api.gen';
import { on } from './events.svelte';

let said = $state.raw<components['schemas']['EventHello'] | undefined>();
on<components['schemas']['EventHello']>('hello', (hello) => (said = hello));

export const hello = {
	/** Of the gateway's present life; '' until it is known. */
	get boot(): string {
		return said?.boot ?? '';
	},
	/** Nothing can be changed from here, and nothing run. */
	get readOnly(): boolean {
		return said?.readOnly ?? false;
	},
	get version(): string {
		return said?.version ?? '';
	},
	/** What is shown of arguments and results; undefined until it is known. */
	get redaction() {
		return said?.redaction;
	},
};
