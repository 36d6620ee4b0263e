// What is to be done about a container, ready to copy: made of the sentence that the
// gateway gives, and of the labels that the container has. Pure.
import { compose, yamlKey } from '../quote';
import { sentence, type Observed } from './observed';

export interface Line {
	text: string;
	mark: '' | 'new' | 'changed' | 'removed';
}

export interface Snippet {
	title: string;
	lines: Line[];
}

export interface Fix {
	/** What to do, in words; '' when nothing is to be done. */
	words: string;
	/** A command that does it, or that tells more. */
	command: string;
	/** The service as it should be written, and what the gateway's needs. */
	snippets: Snippet[];
	/** What makes the container anew with it. */
	apply: string;
}

/** Something that a sentence asks for. */
interface Asked {
	labels: { key: string; value: string; note: string; instead: string }[];
	removed: string[];
	gateway: { key: string; value: string }[];
	service: string[];
	without: string[];
	network: boolean;
}

const assignment =
	/(?<![\w.-])([a-z][\w-]*(?:\.[\w<>-]+)+)=(<[^>]*>|.*?)(?=$|[.;] | or [a-z][\w.-]*=|, (?:or|with|as|whichever|so|and) | and [a-zA-Z]|, the )/gs;

/** Makes something to copy of the fix of a container. network is the gateway's. */
export function fixOf(o: Observed, network: string): Fix {
	const asked: Asked = { labels: [], removed: [], gateway: [], service: [], without: [], network: false };
	for (const d of o.diagnostics) {
		if (d.severity === 'info') continue;
		ask(asked, d.suggestion ?? '', o, d.label ?? '');
		if (
			d.label &&
			(d.code === 'L001' || d.code === 'L013') &&
			!asked.labels.some((l) => l.instead === d.label)
		)
			asked.removed.push(d.label);
	}
	for (const fix of [o.fix, ...(o.others ?? []).map((other) => other.fix)]) ask(asked, fix ?? '', o, '');
	if (o.verdict === 'not_labelled') {
		const enable = asked.labels.find((l) => l.key.endsWith('.enable'));
		if (enable)
			want(asked, {
				key: `${enable.key.slice(0, -'.enable'.length)}.port`,
				value: '8080',
				note: 'where the MCP server listens',
				instead: '',
			});
	}
	if (o.verdict === 'no_shared_network') asked.network = true;

	const snippets: Snippet[] = [];
	const changes =
		asked.labels.length + asked.removed.length + asked.service.length + asked.without.length > 0 ||
		asked.network;
	// The labels of a service of a swarm are right, and stand in the wrong place.
	if (changes && o.state !== 'service')
		snippets.push({
			title: o.composeService ? 'In its compose file' : 'As a compose service',
			lines: service(o, asked, network),
		});
	if (asked.gateway.length > 0) snippets.push({ title: 'On the gateway', lines: gateway(asked) });
	const commandText = commandIn(o.fix ?? '');
	return {
		// A label alone stands in the snippet.
		words: o.fix === commandText || /^[\w.-]+=\S*$/.test(o.fix ?? '') ? '' : sentence(o.fix ?? ''),
		command: commandText,
		snippets,
		apply: changes && !asked.network && o.composeService ? `docker compose up -d ${o.composeService}` : '',
	};
}

/** The text that is copied: what is to be there, without what is to go. */
export function textOf(snippet: Snippet): string {
	return snippet.lines
		.filter((line) => line.mark !== 'removed')
		.map((line) => line.text)
		.join('\n');
}

function ask(asked: Asked, text: string, o: Observed, label: string) {
	let rest = text;
	for (const m of text.matchAll(/\b([A-Z][A-Z0-9_]{3,})=((?:<[^>]*>|\S)+) on the gateway/g))
		if (!asked.gateway.some((g) => g.key === m[1]))
			asked.gateway.push({ key: m[1] ?? '', value: filled(m[2] ?? '', o) });
	rest = rest.replace(/[Rr]emove the label ([^\s=,;]+)[^,;]*/g, (_, key: string) => {
		asked.removed.push(key);
		return '';
	});
	let first = true;
	for (const m of rest.matchAll(assignment)) {
		const [whole, key = '', value = ''] = m;
		const before = rest.slice(0, m.index);
		if (/\b(?:is|tried:?) $/i.test(before)) continue; // it is asked whether that is right
		const more = rest.slice(m.index + whole.length);
		if (/ or $/.test(before) && !first) continue; // an alternative to the one before
		const note = /^(?:,| or) (.*)$/s.exec(more)?.[1] ?? '';
		const own = label in (o.labels ?? {}) && label !== key ? label : '';
		want(asked, { key, value: filled(value, o), note: first ? short(note) : '', instead: first ? own : '' });
		first = false;
	}
	const set =
		/\bset (?:the label )?([a-z][\w-]*\.[\w.-]+)(?: and ([a-z][\w-]*\.[\w.-]+))? to ([^;,.(]*)/.exec(rest);
	for (const key of set ? [set[1], set[2]] : [])
		if (key)
			want(asked, {
				key,
				value: key.endsWith('.path') ? '/mcp' : '<port>',
				note: short(set?.[3]?.trim() ?? ''),
				instead: '',
			});
	if (/\bwith stdin_open: true\b/.test(text)) push(asked.service, 'stdin_open: true');
	if (/\bwithout tty: true\b/.test(text)) push(asked.without, 'tty: true');
}

function want(asked: Asked, label: Asked['labels'][number]) {
	if (!asked.labels.some((l) => l.key === label.key)) asked.labels.push(label);
}

function push(list: string[], one: string) {
	if (!list.includes(one)) list.push(one);
}

/** Proposes a name where the fix leaves it open. */
function filled(value: string, o: Observed): string {
	const name = o.backend || o.composeService || o.name;
	return value
		.replaceAll('<secret name>', `${name.replaceAll('-', '_')}_token`)
		.replaceAll('<another name>', `${name}-2`);
}

function short(note: string): string {
	const text = note.replace(/\s+/g, ' ').trim();
	return text.length <= 70 ? text : '';
}

/** The service of a compose file as it should be, with what changes marked. */
function service(o: Observed, asked: Asked, network: string): Line[] {
	const name = o.composeService || o.name;
	const lines: Line[] = [];
	const add = (text: string, mark: Line['mark'] = '') => lines.push({ text, mark });
	add('services:');
	add(`  ${yamlKey(name)}:`);
	add(`    image: ${yamlText(o.image)}`);
	for (const line of asked.service) add(`    ${line}`, 'new');
	for (const line of asked.without) add(`    ${line}`, 'removed');
	const net = yamlText(network);
	add(
		`    networks: [${net}]${asked.network ? '  # beside those that it has' : ''}`,
		asked.network ? 'new' : '',
	);
	const kept = Object.entries(o.labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
	if (kept.length + asked.labels.length > 0) add('    labels:');
	const left = [...asked.labels];
	for (const [key, value] of kept) {
		const i = left.findIndex((l) => l.key === key || l.instead === key);
		const change = i >= 0 ? left.splice(i, 1)[0] : undefined;
		if (change) {
			if (change.key !== key) add(label(key, value, ''), 'removed');
			add(label(change.key, change.value, change.note), 'changed');
		} else if (asked.removed.includes(key)) {
			add(label(key, value, ''), 'removed');
		} else {
			add(label(key, value, value === '***' ? 'as it is: not shown here' : ''));
		}
	}
	for (const l of left) add(label(l.key, l.value, l.note), 'new');
	add('networks:');
	add(`  ${yamlKey(network)}: { external: true }`);
	return lines;
}

function label(key: string, value: string, note: string): string {
	return `      ${yamlKey(key)}: ${compose(value)}${note ? `  # ${note}` : ''}`;
}

/** A YAML text that needs quotes only where it would be something else without. */
function yamlText(text: string): string {
	return /^[A-Za-z0-9][\w./:@-]*[\w]$/.test(text) && !/^[\d.:]+$/.test(text) ? text : compose(text);
}

function gateway(asked: Asked): Line[] {
	return [
		{ text: 'services:', mark: '' },
		{ text: '  gateway:', mark: '' },
		{ text: '    environment:', mark: '' },
		...asked.gateway.map(({ key, value }): Line => ({
			text: `      ${key}: ${compose(value)}`,
			mark: 'new',
		})),
	];
}

/** The command that a fix is, or names. */
export function commandIn(fix: string): string {
	const whole =
		/^docker (?:network|inspect|compose|service|start|unpause|restart|logs) .*$/s.exec(fix)?.[0] ?? '';
	const simple = /docker (?:logs|start|unpause|restart) [\w.-]+/.exec(fix)?.[0] ?? '';
	if (whole && !simple) return whole;
	const update = /docker service update .*$/s.exec(fix)?.[0];
	return update ?? simple;
}
