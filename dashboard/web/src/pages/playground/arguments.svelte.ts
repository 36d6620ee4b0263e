// The arguments of a tool as they are edited: as a form or as JSON, one value both ways.
import { tick } from 'svelte';
import { ApiError, api } from '../../lib/api';
import type { components } from '../../lib/api.gen';
import { plural } from '../../lib/format';
import { drafts } from '../../lib/runs.svelte';
import { Checker } from '../../lib/schema/check';
import { buildForm, placeOf, readField } from '../../lib/schema/form';
import { isObject, parse, pretty, type Json } from '../../lib/schema/json';
import type { Problem } from './Problems.svelte';

/** The id of the text that the JSON is edited in. */
export const jsonId = 'arguments-json';

/** Leads to the control with an id. */
export async function focus(id: string) {
	await tick();
	const target = document.getElementById(id);
	target?.scrollIntoView({ block: 'center' });
	target?.focus({ preventScroll: true });
}

/** The arguments of a tool whose input schema is this, as they were left last. */
export function editing(tool: string, schema: unknown) {
	const checker = new Checker(schema);
	const draft = drafts.get(tool);
	let form = $state(buildForm(schema, draft?.args));
	let mode = $state(draft?.mode ?? 'form');
	let text = $state(draft?.text ?? '');
	let note = $state('');
	let tried = $state(false);

	const reading = $derived(readField(form));
	const parsed = $derived(mode === 'json' ? parse(text) : undefined);
	const value = $derived<Json | undefined>(
		mode === 'json' ? (parsed?.ok ? parsed.value : undefined) : reading.value,
	);
	const formless = $derived.by(() => {
		if (!parsed) return '';
		if (!parsed.ok) return 'The form opens when this is JSON.';
		return isObject(parsed.value) ? '' : 'The form opens when this is an object: {…}.';
	});

	const unreadable = $derived.by<Problem[]>(() => {
		if (mode === 'form') return reading.drafts;
		if (parsed && !parsed.ok) {
			const { message, line, column } = parsed.mistake;
			return [{ id: jsonId, pointer: '', message: `${message} (line ${line}, column ${column})` }];
		}
		return isObject(value)
			? []
			: [{ id: jsonId, pointer: '', message: 'The arguments of a tool are an object: {…}.' }];
	});
	const verdict = $derived(
		tried && unreadable.length === 0 ? checker.check(value) : { faults: [], notes: [] },
	);
	const faults = $derived<Problem[]>(
		verdict.faults.map((fault) => ({
			...fault,
			id: mode === 'json' ? jsonId : placeOf(reading.places, fault.pointer),
		})),
	);
	const shown = $derived(
		tried ? [...unreadable, ...faults] : mode === 'json' && text !== '' ? unreadable : [],
	);
	const problems = $derived.by(() => {
		const map = new Map<string, string[]>();
		for (const { id, message } of shown) map.set(id, [...(map.get(id) ?? []), message]);
		return map;
	});

	return {
		get form() {
			return form;
		},
		get mode() {
			return mode;
		},
		/** The JSON as it is typed. */
		get text() {
			return text;
		},
		set text(typed: string) {
			text = typed;
		},
		/** What should be known of these arguments. */
		get note() {
			return note;
		},
		get value() {
			return value;
		},
		/** Why there can be no form of what is typed, '' when there can. */
		get formless() {
			return formless;
		},
		/** Whether somebody tried to send them: from then on problems are shown. */
		get tried() {
			return tried;
		},
		set tried(now: boolean) {
			tried = now;
		},
		/** What cannot be sent at all. */
		get unreadable() {
			return unreadable;
		},
		/** What the schema does not allow; a server may be tried with it all the same. */
		get faults() {
			return faults;
		},
		/** What of the schema could not be checked. */
		get notes() {
			return verdict.notes;
		},
		/** The problems to be shown now, and the same by the field that they are about. */
		get shown() {
			return shown;
		},
		get problems() {
			return problems;
		},
		toJson() {
			text = pretty(reading.value ?? {});
			note =
				reading.drafts.length > 0
					? `${plural(reading.drafts.length, 'field')} could not be read and ${reading.drafts.length === 1 ? 'is' : 'are'} left out here.`
					: '';
			mode = 'json';
		},
		toForm() {
			if (!parsed?.ok || !isObject(parsed.value)) return;
			form = buildForm(schema, parsed.value);
			note = '';
			mode = 'form';
		},
		/** Takes those of an earlier run. */
		use(args: Json) {
			form = buildForm(schema, args);
			text = pretty(args);
			note = 'These are the arguments of an earlier run.';
		},
		/** Takes those of a call that the gateway has kept. */
		async take(call: string, signal: AbortSignal) {
			try {
				const it = await api<components['schemas']['CallDetail']>(`calls/${encodeURIComponent(call)}`, {
					signal,
				});
				if (it.truncated?.arguments) note = `The arguments of call ${call} were too large to be kept.`;
				else if (it.dropped) note = `The arguments of call ${call} are not kept any more.`;
				else if (!isObject(it.arguments)) note = `Call ${call} had no arguments.`;
				else {
					form = buildForm(schema, it.arguments as Json);
					mode = 'form';
					note = `These are the arguments of call ${call}.${
						JSON.stringify(it.arguments).includes('••••')
							? ' Secrets in them were masked; fill them in again.'
							: ''
					}`;
				}
			} catch (cause) {
				if (signal.aborted) return;
				note = cause instanceof ApiError ? cause.message : `Call ${call} could not be read.`;
			}
		},
		reset() {
			form = buildForm(schema);
			text = '{}';
			tried = false;
			note = '';
		},
		/** Keeps them for when the tool is picked again. */
		keep() {
			drafts.set(tool, { mode, args: reading.value ?? drafts.get(tool)?.args, text });
		},
	};
}

export type Arguments = ReturnType<typeof editing>;
