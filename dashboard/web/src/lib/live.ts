// The page's one stream of events. A browser gives up for good on any answer but 200,
// and never notices a socket that leads nowhere: this comes back by itself, and says
// what became of it. No Svelte in it: events.svelte.ts shows its state.

export type Link = 'connecting' | 'live' | 'reconnecting' | 'offline' | 'signed out' | 'closed';

export interface LiveOptions {
	/** Of the stream, as it is now. */
	url: () => string;
	/** All events but ping, in order, once a frame. */
	take: (events: LiveEvent[]) => void;
	/** What the stream cannot tell: the snapshots are to be fetched anew. */
	stale: () => void;
	state: (link: Link, nextTry: number) => void;
	/** Whether the gateway refuses this browser: then it is not tried again unasked. */
	barred?: () => Promise<boolean>;
	source?: (url: string) => EventSource;
	now?: () => number;
	frame?: (run: () => void) => void;
}

export interface LiveEvent {
	name: string;
	data: unknown;
}

export const eventNames = [
	'hello',
	'backend',
	'backend_removed',
	'discovery',
	'tools_changed',
	'call_started',
	'call_finished',
	'calls',
	'client',
	'client_refused',
	'change',
	'metrics',
	'gap',
	'reset',
];

/** The gateway says something each 15 s; after three times that it is not there. */
const silence = 45_000;
// A container that starts changes the networks of its machine, and a browser there gives
// up what is open: the first try is at once, for all practical purposes.
const firstTry = 200;
const lastTry = 30_000;
/** A page that nobody sees for so long lets go. */
const hidden = 5 * 60_000;

export class Live {
	private es: EventSource | undefined;
	private last = '';
	private tries = 0;
	private heard = 0;
	private retry: ReturnType<typeof setTimeout> | undefined;
	private watch: ReturnType<typeof setInterval> | undefined;
	private away: ReturnType<typeof setTimeout> | undefined;
	private queue: LiveEvent[] = [];
	private scheduled = false;
	private out = false;
	private readonly source: (url: string) => EventSource;
	private readonly now: () => number;
	private readonly frame: (run: () => void) => void;

	constructor(private readonly o: LiveOptions) {
		this.source = o.source ?? ((url) => new EventSource(url));
		this.now = o.now ?? Date.now;
		this.frame = o.frame ?? nextFrame;
	}

	/** Opens the stream, and keeps it open until close; after bar, too. */
	open() {
		this.out = false;
		this.tries = 0;
		this.watch ??= setInterval(() => {
			if (this.es && this.now() - this.heard > silence) this.lost();
		}, 5000);
		this.connect();
	}

	close() {
		this.drop();
		clearTimeout(this.retry);
		clearTimeout(this.away);
		clearInterval(this.watch);
		this.watch = undefined;
		this.o.state('closed', 0);
	}

	/** Tries at once, as when the network is back or somebody asks for it. */
	nudge = () => {
		if (!this.watch || this.out || this.es?.readyState === 1) return;
		this.tries = 0;
		this.connect();
	};

	/** Tells whether somebody sees the page. */
	seen(visible: boolean) {
		clearTimeout(this.away);
		if (visible) {
			if (!this.es || this.now() - this.heard > silence) {
				this.drop();
				this.nudge();
			}
			return;
		}
		this.away = setTimeout(() => {
			clearTimeout(this.retry);
			this.drop();
		}, hidden);
	}

	private connect() {
		clearTimeout(this.retry);
		this.drop();
		this.heard = this.now();
		if (this.tries === 0) this.o.state('connecting', 0);
		const url = this.o.url();
		const since = `${url.includes('?') ? '&' : '?'}since=${encodeURIComponent(this.last)}`;
		const es = this.source(this.last ? url + since : url);
		this.es = es;
		es.addEventListener('open', () => {
			if (es !== this.es) return;
			this.heard = this.now();
			this.tries = 0;
			this.o.state('live', 0);
		});
		es.addEventListener('error', () => {
			if (es !== this.es) return;
			// Closed for good: something answered, and it was no stream. What, nobody is told.
			const answered = es.readyState === 2;
			this.lost();
			if (answered) void this.ask();
		});
		es.addEventListener('ping', () => (this.heard = this.now()));
		for (const name of eventNames) {
			es.addEventListener(name, (e) => es === this.es && this.hear(name, e as MessageEvent<string>));
		}
	}

	private hear(name: string, e: MessageEvent<string>) {
		this.heard = this.now();
		if (e.lastEventId) this.last = e.lastEventId;
		let data: unknown;
		try {
			data = JSON.parse(e.data);
		} catch {
			return; // cut off; what it was about is asked for when the stream is back
		}
		if (name === 'reset') this.o.stale();
		this.queue.push({ name, data });
		if (this.scheduled) return;
		this.scheduled = true;
		this.frame(() => {
			this.scheduled = false;
			const events = this.queue;
			this.queue = [];
			this.o.take(events);
		});
	}

	private lost() {
		this.drop();
		const wait = Math.min(lastTry, firstTry * 2 ** this.tries) * (0.8 + 0.4 * Math.random());
		this.tries++;
		this.o.state(this.tries > 7 ? 'offline' : 'reconnecting', this.now() + wait);
		clearTimeout(this.retry);
		this.retry = setTimeout(() => this.connect(), wait);
	}

	private async ask() {
		const { tries } = this;
		const barred = await this.o.barred?.().catch(() => false);
		if (barred && this.watch && this.tries === tries) this.bar();
	}

	/** Ends all tries until open: whoever refuses this browser is not to be asked for ever. */
	bar() {
		this.out = true;
		this.drop();
		clearTimeout(this.retry);
		this.o.state('signed out', 0);
	}

	private drop() {
		this.es?.close();
		this.es = undefined;
	}
}

/** A page that is hidden has no frames, and the one that it waits for when it is hidden never comes. */
function nextFrame(run: () => void) {
	const once = () => {
		cancelAnimationFrame(frame);
		clearTimeout(late);
		run();
	};
	const frame = requestAnimationFrame(once);
	const late = setTimeout(once, document.hidden ? 250 : 1000);
}
