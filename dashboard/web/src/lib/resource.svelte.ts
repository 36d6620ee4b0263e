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

	const refresh = () => {
		if (timer) return;
		timer = setTimeout(
			() => {
				timer = undefined;
				last = Date.now();
				again++;
			},
			Math.max(0, last + pace - Date.now()),
		);
	};

	$effect(() => {
		void again;
		const ask = new AbortController();
		loading = true;
		api<T>(path(), { signal: ask.signal }).then(
			(answer) => {
				value = answer;
				error = undefined;
				loading = false;
				fetchedAt = Date.now();
			},
			(cause: unknown) => {
				if (ask.signal.aborted) return;
				error = cause instanceof ApiError ? cause : new ApiError(String(cause), 0);
				loading = false;
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
