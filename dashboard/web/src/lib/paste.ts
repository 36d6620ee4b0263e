// What people have at hand when they add a backend: a mcpServers block, a docker run
// line, a claude mcp add line or a bare URL. Pure.

/** A registration as far as a text tells of it. */
export interface Pasted {
	name: string;
	url: string;
	transport: 'auto' | 'http' | 'sse';
	headers: [string, string][];
}

/** What was found, or in a sentence why nothing was; note is more to know of it. */
export interface Reading {
	found: Pasted[];
	problem?: string;
	note?: string;
	/** A command that is better than a registration. */
	command?: string;
}

/** Longer texts are no configuration. */
const longest = 100_000;

export function read(text: string): Reading {
	const trimmed = text.trim();
	if (trimmed === '') return { found: [] };
	if (trimmed.length > longest) return { found: [], problem: 'This is too long for a configuration.' };
	if (/^https?:\/\/\S+$/i.test(trimmed)) return one(trimmed);
	if (/^[{"[]/.test(trimmed)) return readJSON(trimmed);
	const words = split(trimmed);
	if (words[0] === 'docker' || words[0] === 'podman') return readDocker(words);
	if (words[0] === 'claude' && words[1] === 'mcp') return readClaude(words.slice(3));
	return {
		found: [],
		problem: 'This is no mcpServers block, no docker run line and no URL.',
	};
}

function one(url: string, name = '', headers: [string, string][] = [], sse = false): Reading {
	return { found: [{ name: slug(name || hostOf(url)), url, transport: sse ? 'sse' : 'auto', headers }] };
}

function hostOf(url: string): string {
	try {
		const host = new URL(url).hostname;
		return /^[\d.:[\]]+$|^localhost$/.test(host)
			? ''
			: (host.replace(/^(www|mcp|api)\./, '').split('.')[0] ?? '');
	} catch {
		return '';
	}
}

/** A name that the gateway takes. */
export function slug(name: string): string {
	return name
		.toLowerCase()
		.replace(/[^a-z0-9_-]+/g, '-')
		.replace(/__+/g, '_')
		.replace(/^[-_]+|[-_]+$/g, '')
		.slice(0, 64);
}

type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json =>
	typeof value === 'object' && value !== null && !Array.isArray(value);
const text = (value: unknown) => (typeof value === 'string' ? value : '');

function readJSON(source: string): Reading {
	let value: unknown;
	try {
		value = JSON.parse(source);
	} catch {
		try {
			value = JSON.parse(`{${source.replace(/,\s*$/, '')}}`); // a piece from the middle of a file
		} catch (cause) {
			return { found: [], problem: `This is no valid JSON: ${cause instanceof Error ? cause.message : ''}` };
		}
	}
	if (!isObject(value)) return { found: [], problem: 'This JSON is no block of servers.' };
	const servers = [value.mcpServers, value.servers, value.context_servers, value.mcp].find(isObject);
	const entries = servers
		? Object.entries(isObject(servers.servers) ? servers.servers : servers)
		: address(value) || value.command
			? [['', value] as [string, unknown]]
			: Object.entries(value);
	const found: Pasted[] = [];
	const programs: string[] = [];
	for (const [name, entry] of entries) {
		if (!isObject(entry)) continue;
		const url = address(entry) || remote(entry);
		if (!url) {
			if (entry.command) programs.push(name || text(entry.command));
			continue;
		}
		const headers = isObject(entry.headers)
			? Object.entries(entry.headers).filter((pair): pair is [string, string] => typeof pair[1] === 'string')
			: [];
		found.push(...one(url, name, headers, entry.type === 'sse' || entry.transport === 'sse').found);
	}
	const note =
		programs.length > 0
			? `${programs.join(', ')}: a program that speaks stdio has no URL. Run it in a container with the label mcp-gw.transport: stdio.`
			: found.some((p) => p.headers.some(([, v]) => v.includes('${')))
				? 'A header has a variable in it: put the value in its place.'
				: undefined;
	if (found.length === 0) return { found, problem: note ?? 'No server in it has a URL.' };
	return { found, ...(note ? { note } : {}) };
}

function address(entry: Json): string {
	return text(entry.url) || text(entry.httpUrl) || text(entry.serverUrl);
}

/** npx mcp-remote URL stands for the URL. */
function remote(entry: Json): string {
	const args = Array.isArray(entry.args) ? entry.args.map(text) : [];
	return args.some((arg) => arg.startsWith('mcp-remote'))
		? (args.find((a) => /^https?:\/\//.test(a)) ?? '')
		: '';
}

function readClaude(words: string[]): Reading {
	const headers: [string, string][] = [];
	const rest: string[] = [];
	let sse = false;
	for (let i = 0; i < words.length; i++) {
		const word = words[i] ?? '';
		if (word === '--header' || word === '-H') {
			const [name = '', ...value] = (words[++i] ?? '').split(':');
			if (name && value.length > 0) headers.push([name.trim(), value.join(':').trim()]);
		} else if (word === '--transport' || word === '-t') sse = words[++i] === 'sse';
		else if (word === '--scope' || word === '-s') i++;
		else if (!word.startsWith('-')) rest.push(word);
	}
	const url = rest.find((word) => /^https?:\/\//.test(word));
	if (!url)
		return { found: [], problem: 'This line has no URL: a program that speaks stdio is run in a container.' };
	return one(url, rest[0] === url ? '' : rest[0], headers, sse);
}

/** Options of docker run that stand alone; all others take a value. */
const alone =
	/^(-[ditP]+|--(rm|detach|interactive|tty|init|privileged|read-only|publish-all|no-healthcheck|oom-kill-disable))$/;

function readDocker(words: string[]): Reading {
	const run = words.findIndex((word) => word === 'run' || word === 'create');
	if (run < 0) return { found: [], problem: 'Only docker run lines are read.' };
	let name = '';
	let port = '';
	let labelled = false;
	let image = -1;
	for (let i = run + 1; i < words.length; i++) {
		const word = words[i] ?? '';
		if (!word.startsWith('-')) {
			image = i;
			break;
		}
		const [option = '', inline] = word.startsWith('--') ? cut(word) : [word, undefined];
		if (alone.test(option)) continue;
		const value = inline ?? words[++i] ?? '';
		if (option === '--name') name = value;
		if (option === '-p' || option === '--publish' || option === '--expose') {
			port = /(\d+)(\/tcp)?$/.exec(value)?.[1] ?? port;
		}
		if (option === '-l' || option === '--label') labelled ||= value.startsWith('mcp-gw.');
	}
	if (image < 0) return { found: [], problem: 'This line has no image.' };
	if (labelled) {
		return { found: [], problem: 'This container has labels of ours: start it, and it appears by itself.' };
	}
	const guess = name || (words[image] ?? '').replace(/^.*\//, '').replace(/[:@].*$/, '');
	const better = [...words];
	better.splice(run + 1, 0, '--network', 'mcp-gw-net', '--label', `mcp-gw.port=${port || '8080'}`);
	return {
		...one(`http://${guess}:${port || '8080'}/mcp`, guess),
		note: port
			? 'With a label it needs no registration: start it like this, and it appears by itself.'
			: 'The line says no port: 8080 is a guess. With a label it needs no registration: start it like this.',
		command: better.map(quoted).join(' '),
	};
}

function cut(word: string): [string, string | undefined] {
	const at = word.indexOf('=');
	return at < 0 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)];
}

function quoted(word: string): string {
	return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** The words of a shell's line: quotes, backslashes and continued lines. */
export function split(line: string): string[] {
	const words: string[] = [];
	let word: string | undefined;
	let quote = '';
	for (let i = 0; i < line.length; i++) {
		const c = line[i]!;
		if (quote) {
			if (c === quote) quote = '';
			else if (c === '\\' && quote === '"' && /["\\$`]/.test(line[i + 1] ?? '')) word += line[++i]!;
			else word += c;
		} else if (c === '"' || c === "'") {
			quote = c;
			word ??= '';
		} else if (c === '\\') {
			const next = line[++i] ?? '';
			if (next === '\r') i++;
			else if (next !== '\n') word = (word ?? '') + next;
		} else if (/\s/.test(c)) {
			if (word !== undefined) words.push(word);
			word = undefined;
		} else word = (word ?? '') + c;
	}
	if (word !== undefined) words.push(word);
	return words;
}
