// Something that is fetched, and fetched again when it may have changed.
import { ApiError, api } from './api';
import { on, onReset } from './events.svelte';

export interface ResourceOptions {
	/** Events after which it is fetched again, at most once a second. */
	events?: string[];
	/** Also every so many ms while somebody looks. */
	every?: number;
}

const pace = 1000;

/** A snapshot of api/<path>; call it while a component is being made. */
export function resource<T>(path: () => string, options: ResourceOptions = {}) {
	let value = $state.raw<T | undefined>();
	let error = $state.raw<ApiError | undefined>();
	let loading = $state(true);
	let fetchedAt = $state(0);
	let again = $state(0);
	let last = 0;
	let timer: ReturnType<typeof setTimeout> | undefined;
	const asked = $derived(path());
	// While a question is open it is not asked once more: answers that take longer than the
	// events are apart would all be given up.
	let open = false;
	let wanted = false;

	const refresh = () => {
		if (timer) return;
		timer = setTimeout(
			() => {
				timer = undefined;
				if (open) wanted = true;
				else again++;
			},
			Math.max(0, last + pace - Date.now()),
		);
	};
	const ended = () => {
		loading = false;
		open = false;
		if (wanted) refresh();
	};

	$effect(() => {
		void again;
		const ask = new AbortController();
		loading = true;
		open = true;
		wanted = false;
		last = Date.now();
		api<T>(asked, { signal: ask.signal }).then(
			(answer) => {
				if (ask.signal.aborted) return;
				value = answer;
				error = undefined;
				fetchedAt = Date.now();
				ended();
			},
			(cause: unknown) => {
				if (ask.signal.aborted) return;
				error = cause instanceof ApiError ? cause : new ApiError(String(cause), 0);
				ended();
			},
		);
		return () => ask.abort();
	});
	$effect(() => {
		const ends = [
			onReset(refresh),
			on('gap', refresh),
			...(options.events ?? []).map((name) => on(name, refresh)),
		];
		const beat = options.every ? setInterval(() => !document.hidden && refresh(), options.every) : undefined;
		return () => {
			ends.forEach((end) => end());
			clearInterval(beat);
			clearTimeout(timer);
			timer = undefined;
		};
	});

	return {
		/** The latest answer; it stays while a later one is awaited, or fails. */
		get value() {
			return value;
		},
		set value(next: T | undefined) {
			value = next;
		},
		/** Why the last question had no answer. */
		get error() {
			return error;
		},
		get loading() {
			return loading;
		},
		get fetchedAt() {
			return fetchedAt;
		},
		refresh,
	};
}
