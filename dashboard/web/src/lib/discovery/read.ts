// What the gateway read of a container's labels: each with what it was taken for,
// and what is wrong with it. Pure.
import type { Diagnostic, Observed, Setting } from './observed';

export interface Reading {
	/** The label, '' for a setting that no label gives. */
	label: string;
	value: string;
	/** The value may be a secret, so nobody is shown it. */
	hidden: boolean;
	/** What it was read as: "port 8080". '' when it has no effect. */
	meaning: string;
	/** label, default, image, inferred, file; '' for a label that was not taken. */
	source: string;
	/** The backend it is about, in a container of several. */
	backend: string;
	problems: Diagnostic[];
}

/** What stands in the place of a value that may be a secret. */
const masked = '***';

export function readings(o: Observed): Reading[] {
	const parts = [
		{ backend: o.backend ?? '', settings: o.settings ?? [] },
		...(o.others ?? []).map((other) => ({ backend: other.backend, settings: other.settings ?? [] })),
	];
	const several = parts.length > 1;
	const taken = new Set<Setting>();
	const out: Reading[] = [];
	for (const [label, value] of Object.entries(o.labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))) {
		const part = parts.find((p) => p.backend !== '' && label.includes(`.backends.${p.backend}.`));
		const among = part ? [part] : parts;
		const found = among.map((p) => settingOf(label, p.settings)).find((s) => s !== undefined);
		if (found) for (const p of among) mark(taken, p.settings, found.key);
		const problems = o.diagnostics.filter((d) => d.label === label);
		out.push({
			label,
			value,
			hidden: value === masked,
			meaning: found ? meaning(found) : enable(label, value),
			source: found ? 'label' : '',
			backend: several && part ? part.backend : '',
			problems,
		});
	}
	for (const part of parts)
		for (const s of part.settings) {
			if (taken.has(s)) continue;
			out.push({
				label: '',
				value: '',
				hidden: false,
				meaning: meaning(s),
				source: s.source,
				backend: several ? part.backend : '',
				problems: [],
			});
		}
	return out;
}

/** Remarks that are about no label that the container has. */
export function remarks(o: Observed): Diagnostic[] {
	const labels = o.labels ?? {};
	return o.diagnostics.filter((d) => !d.label || !(d.label in labels));
}

/** The setting that a label gives: the one whose whole key it ends with. */
function settingOf(label: string, settings: Setting[]): Setting | undefined {
	let best: Setting | undefined;
	for (const s of settings) {
		if (s.source !== 'label') continue;
		if (label.toLowerCase().endsWith(`.${s.key.toLowerCase()}`) && s.key.length > (best?.key.length ?? 0))
			best = s;
	}
	return best;
}

function mark(taken: Set<Setting>, settings: Setting[], key: string) {
	for (const s of settings) if (s.key === key && s.source === 'label') taken.add(s);
}

function meaning(s: Setting): string {
	return `${s.key.replaceAll('.', ' ')} ${s.value === masked ? 'is set' : s.value}`;
}

/** The one label that is no setting. */
function enable(label: string, value: string): string {
	if (!label.toLowerCase().endsWith('.enable')) return '';
	return value.trim().toLowerCase() === 'false'
		? 'keeps it out'
		: value.trim().toLowerCase() === 'true'
			? 'lets it in'
			: '';
}

const sources: Record<string, string> = {
	label: 'label',
	default: 'default',
	image: 'from the image',
	inferred: 'inferred',
	file: 'file',
};

export function sourceWord(source: string): string {
	return sources[source] ?? source;
}
