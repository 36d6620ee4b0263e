// The calls as the page Traffic has them. They are kept as long as the tab lives, so
// that a look at another page loses nothing.
import { ApiError, api } from '../../lib/api';
import type { components } from '../../lib/api.gen';
import { CallLog, type Call, type MissingRow } from '../../lib/calls';
import { on } from '../../lib/events.svelte';
import { hello } from '../../lib/hello.svelte';

export type Redaction = components['schemas']['Calls']['redaction'];
type Calls = components['schemas']['Calls'];

/** How many calls are asked for at a time; it is the most that one answer has. */
const page = 500;
/** The list is made anew at most so often, in ms: an eye sees no more. */
const pace = 100;

const log = new CallLog();
let version = $state(0);
let redaction = $state<Redaction | undefined>();
let error = $state.raw<ApiError | undefined>();
let loaded = $state(false);
let asking = $state(false);
/** Id of the oldest call that the gateway has kept; 0 when it has none. */
let oldest = $state(0);
let paused = $state(false);
let epoch = $state(0);
let started = false;
let boot = '';
let timer: ReturnType<typeof setTimeout> | undefined;
let drawn = 0;

function changed() {
	timer ??= setTimeout(
		() => {
			timer = undefined;
			drawn = performance.now();
			version++;
		},
		Math.max(0, drawn + pace - performance.now()),
	);
}

function now() {
	clearTimeout(timer);
	timer = undefined;
	version++;
}

function take(calls: readonly Call[]) {
	log.add(calls);
	changed();
}

const failure = (cause: unknown): ApiError =>
	cause instanceof ApiError ? cause : new ApiError(String(cause), 0);

const ask = (before?: number): Promise<Calls> =>
	api<Calls>(`calls?limit=${page}&protocol=true${before === undefined ? '' : `&before=${before}`}`);

/** Fetches the newest calls. */
async function refresh() {
	try {
		const answer = await ask();
		redaction = answer.redaction;
		oldest = answer.oldest;
		log.merge(answer.calls, answer.oldest);
		error = undefined;
	} catch (cause) {
		error = failure(cause);
	}
	loaded = true;
	now();
}

/** Begins to listen, once. */
function start() {
	if (started) return;
	started = true;
	boot = hello.boot;
	// First on each connection. A reset tells no more: it is the same gateway's, too.
	on<{ boot: string; redaction: Redaction }>('hello', (said) => {
		if (boot !== '' && said.boot !== boot) {
			log.restart();
			epoch = log.epoch;
		} else log.broken();
		boot = said.boot;
		redaction = said.redaction;
		void refresh();
	});
	on('gap', () => {
		log.broken();
		void refresh();
	});
	on<Call>('call_started', (call) => take([call]));
	on<Call>('call_finished', (call) => take([call]));
	on<{ calls: Call[] }>('calls', ({ calls }) => take(calls));
	void refresh();
}

export const traffic = {
	log,
	start,
	refresh,
	/** Counts up when the log is otherwise; read it, then the log. */
	get version() {
		return version;
	},
	/** Which life of the gateway this is, as the page has counted them. */
	get epoch() {
		return epoch;
	},
	get redaction() {
		return redaction;
	},
	/** Why the newest calls could not be fetched. */
	get error() {
		return error;
	},
	get loaded() {
		return loaded;
	},
	get asking() {
		return asking;
	},
	/** Whether the gateway has older calls than the page. */
	get more(): boolean {
		void version;
		const first = log.firstId();
		return oldest > 0 && log.rows.length < log.capacity && (first === undefined || first > oldest);
	},
	/** Whether the page has as many as it can. */
	get full(): boolean {
		void version;
		return log.rows.length >= log.capacity;
	},
	get paused() {
		return paused;
	},
	set paused(value: boolean) {
		if (value === paused) return;
		paused = value;
		if (value) log.pause();
		else log.resume();
		now();
	},
	clear() {
		log.clear();
		now();
	},
	/** Fetches calls that are older than all that are there. */
	async older() {
		if (asking) return;
		asking = true;
		try {
			const answer = await ask(log.firstId());
			oldest = answer.oldest;
			log.extend(answer.calls);
			error = undefined;
		} catch (cause) {
			error = failure(cause);
		}
		asking = false;
		now();
	},
	/** Fetches what is missing at a place. */
	async fill(row: MissingRow) {
		if (asking) return;
		asking = true;
		try {
			const answer = await ask(row.before);
			oldest = answer.oldest;
			log.fill(row, answer.calls, answer.oldest);
			error = undefined;
		} catch (cause) {
			error = failure(cause);
		}
		asking = false;
		now();
	},
};
