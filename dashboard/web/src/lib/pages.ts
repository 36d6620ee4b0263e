import type { Component } from 'svelte';
import Activity from '@lucide/svelte/icons/activity';
import ChartLine from '@lucide/svelte/icons/chart-line';
import Container from '@lucide/svelte/icons/container';
import FlaskConical from '@lucide/svelte/icons/flask-conical';
import LayoutGrid from '@lucide/svelte/icons/layout-grid';
import Plug from '@lucide/svelte/icons/plug';
import Users from '@lucide/svelte/icons/users';
import Wrench from '@lucide/svelte/icons/wrench';

/** A page of the application; each is loaded when somebody goes there. */
export interface Page {
	/** The first part of its route. */
	name: string;
	title: string;
	/** The letter after g that goes there. */
	key: string;
	icon: Component<{ size?: number; 'aria-hidden'?: boolean | 'true' | 'false' }>;
	load: () => Promise<{ default: Component }>;
	/** On a phone it is in the bar below rather than in the menu. */
	first?: boolean;
}

export const pages: Page[] = [
	{
		name: '',
		title: 'Overview',
		key: 'o',
		icon: LayoutGrid,
		load: () => import('../pages/Overview.svelte'),
		first: true,
	},
	{
		name: 'traffic',
		title: 'Traffic',
		key: 't',
		icon: Activity,
		load: () => import('../pages/Traffic.svelte'),
		first: true,
	},
	{
		name: 'tools',
		title: 'Tools',
		key: 'l',
		icon: Wrench,
		load: () => import('../pages/Tools.svelte'),
		first: true,
	},
	{
		name: 'discovery',
		title: 'Discovery',
		key: 'd',
		icon: Container,
		load: () => import('../pages/Discovery.svelte'),
		first: true,
	},
	{
		name: 'playground',
		title: 'Playground',
		key: 'p',
		icon: FlaskConical,
		load: () => import('../pages/Playground.svelte'),
	},
	{
		name: 'metrics',
		title: 'Metrics',
		key: 'm',
		icon: ChartLine,
		load: () => import('../pages/Metrics.svelte'),
	},
	{ name: 'connect', title: 'Connect', key: 'c', icon: Plug, load: () => import('../pages/Connect.svelte') },
	{ name: 'clients', title: 'Clients', key: 'i', icon: Users, load: () => import('../pages/Clients.svelte') },
];

/** Pages that are no entry of the rail. */
export const others: Record<string, { title: string; load: Page['load'] }> = {
	backends: { title: 'Backend', load: () => import('../pages/Backend.svelte') },
};
