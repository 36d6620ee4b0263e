// The stream of events as the page sees it: its state, and who listens.
import { api, shut } from './api';
import type { components } from './api.gen';
import { keyed } from './key';
import { Live, type Link, type LiveEvent } from './live';

type Listener = (data: never) => void;

let link = $state<Link>('connecting');
let nextTry = $state(0);
let since = $state(Date.now());
const listeners = new Map<string, Set<Listener>>();
const resets = new Set<() => void>();

function take(events: LiveEvent[]) {
	for (const { name, data } of events) {
		for (const listener of listeners.get(name) ?? []) listener(data as never);
	}
}

const live = new Live({
	url: () => keyed('api/events'),
	take,
	stale: refetch,
	barred: async () => {
		const session = await api<components['schemas']['Session']>('session');
		const out = session.required && !session.signedIn;
		if (out) shut();
		return out;
	},
	state: (now, next) => {
		// A new wait begins: with the loss, or with the first try after being signed out.
		if ((now === 'live') !== (link === 'live') || link === 'signed out') since = Date.now();
		link = now;
		nextTry = next;
	},
});

const seen = () => live.seen(!document.hidden);

/** The page's own connection. */
export const connection = {
	get link() {
		return link;
	},
	/** When it is tried next, in ms since 1970; 0 when that is not waited for. */
	get nextTry() {
		return nextTry;
	},
	/** Since when it is live, or is not. */
	get since() {
		return since;
	},
	/** Opens it, after bar anew. */
	open() {
		since = Date.now();
		live.open();
		addEventListener('online', live.nudge);
		document.addEventListener('visibilitychange', seen);
	},
	retry: live.nudge,
	/** Gives up, until open. */
	bar: () => live.bar(),
};

/** Listens to one kind of event; what it answers ends that. Use it in an effect. */
export function on<T>(name: string, listener: (data: T) => void): () => void {
	let set = listeners.get(name);
	if (!set) listeners.set(name, (set = new Set()));
	set.add(listener as Listener);
	return () => set.delete(listener as Listener);
}

/** Says that all that was fetched may be of another life. */
export function refetch() {
	resets.forEach((reset) => reset());
}

/** Listens to the moments in which all that was fetched may be of another life. */
export function onReset(listener: () => void): () => void {
	resets.add(listener);
	return () => resets.delete(listener);
}
