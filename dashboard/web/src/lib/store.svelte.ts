// What all pages know: the backends, how they are, and what is told of calls and
// containers. Fetched once, followed by the stream of events, and fetched anew now and
// then for what no event tells: checks and numbers.
import { ApiError, api } from './api';
import type { components } from './api.gen';
import type { Backend, Health } from './backends';
import { on, onReset } from './events.svelte';
import { Snapshot } from './snapshot';

type Schemas = components['schemas'];
/** An event tells of a backend without its tools and, where they are as before, its checks. */
type Told = Omit<Backend, 'tools'> & Partial<Pick<Backend, 'tools'>>;

const pace = 1000;
const every = 15_000;
/** How long an error of a call is worth a mark at Traffic. */
const recent = 5 * 60_000;

const known = new Snapshot<Backend>(
	(b) => b.name,
	(before, now) => ({ ...now, beats: now.beats ?? before?.beats }),
);
const settledAs = new Map<string, Health>();

let backends = $state.raw<Backend[]>([]);
let error = $state.raw<ApiError | undefined>();
let loaded = $state(false);
let fetchedAt = $state(0);
let tools = $state.raw<{ exposed: number; total: number } | undefined>();
let problems = $state<number | undefined>();
let lastError = $state(0);
let metrics = $state.raw<Schemas['EventMetrics'] | undefined>();

let publishing = false;
function publish() {
	if (publishing) return;
	publishing = true;
	queueMicrotask(() => {
		publishing = false;
		backends = known.items;
		for (const b of backends) if (b.health !== 'connecting') settledAs.set(b.name, b.health);
	});
}

let timer: ReturnType<typeof setTimeout> | undefined;
let asked = 0;
let last = 0;
function refresh() {
	timer ??= setTimeout(
		() => {
			timer = undefined;
			last = Date.now();
			void load();
		},
		Math.max(0, last + pace - Date.now()),
	);
}

async function load() {
	const question = ++asked;
	known.ask();
	try {
		const answer = await api<Backend[]>('backends?tools=false');
		if (question !== asked) return; // a later question is open
		// What a backend lists is asked for where it is shown; here it would only be kept.
		known.answer(answer.map((b) => ({ ...b, tools: [] })));
		error = undefined;
		loaded = true;
		fetchedAt = Date.now();
		publish();
	} catch (cause) {
		if (question === asked) error = cause instanceof ApiError ? cause : new ApiError(String(cause), 0);
	}
}

/** Reads what the rail says before any event has told it. */
async function look() {
	const [overview, stats] = await Promise.allSettled([
		api<Schemas['Overview']>('overview'),
		api<Schemas['StatsRange']>('stats?range=15m'),
	]);
	if (overview.status === 'fulfilled') tools = overview.value.tools;
	if (stats.status === 'fulfilled') {
		const { t, errors } = stats.value.series;
		for (let i = t.length - 1; i >= 0; i--) {
			if (!errors[i]) continue;
			lastError = Math.max(lastError, (t[i] ?? 0) * 1000);
			break;
		}
	}
}

function failed(call: Schemas['Call']) {
	if (call.state === 'error' && !call.protocol) lastError = Math.max(lastError, Date.parse(call.at) || 0);
}

/** Begins to follow the gateway. Call it once, before the stream is open. */
export function follow() {
	on<Told>('backend', (b) => {
		known.put({ ...b, tools: [] });
		publish();
	});
	on<Schemas['EventRemoved']>('backend_removed', ({ name }) => {
		known.remove(name);
		settledAs.delete(name);
		publish();
	});
	on<Schemas['EventTools']>('tools_changed', (now) => (tools = { exposed: now.exposed, total: now.tools }));
	on<Schemas['EventDiscovery']>('discovery', (now) => (problems = now.problems));
	on<Schemas['EventMetrics']>('metrics', (now) => (metrics = now));
	on<Schemas['Call']>('call_finished', failed);
	on<Schemas['EventCalls']>('calls', ({ calls }) => calls.forEach(failed));
	// What was told between the first answer and the first connection is missing.
	for (const name of ['hello', 'gap']) on(name, refresh);
	onReset(() => {
		refresh();
		void look();
	});
	setInterval(() => !document.hidden && refresh(), every);
	refresh();
	void look();
}

export const store = {
	get backends() {
		return backends;
	},
	/** Why the backends could not be fetched the last time. */
	get error() {
		return error;
	},
	/** Whether they were fetched once. */
	get loaded() {
		return loaded;
	},
	get fetchedAt() {
		return fetchedAt;
	},
	/** Tools that clients see, and all there are. */
	get tools() {
		return tools;
	},
	/** How many containers have one; undefined until that is told. */
	get problems() {
		return problems;
	},
	get metrics() {
		return metrics;
	},
	/** Whether a call failed not long ago. */
	failedLately(now: number): boolean {
		return lastError > 0 && now - lastError < recent;
	},
	backend(name: string): Backend | undefined {
		return backends.find((b) => b.name === name);
	},
	/** How it was before it began to be connected anew. */
	settled(b: Backend): Health {
		return b.health === 'connecting' ? (settledAs.get(b.name) ?? b.health) : b.health;
	},
	/** Takes an answer that tells of one backend. */
	put(b: Backend) {
		known.put({ ...b, tools: [] });
		publish();
	},
	/**
	 * Shows what is asked for, before it is answered. What it answers takes that back,
	 * unless more was told since, and asks how it is.
	 */
	expect(b: Backend): () => void {
		const before = known.get(b.name);
		this.put(b);
		const ours = known.get(b.name);
		return () => {
			if (before && known.get(b.name) === ours) {
				known.put(before);
				publish();
			}
			refresh();
		};
	},
	remove(name: string) {
		known.remove(name);
		publish();
	},
	refresh,
};
