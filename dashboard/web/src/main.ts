import './app.css';
import './lib/hello.svelte'; // listens before the stream is open
import { mount } from 'svelte';
import { connection } from './lib/events.svelte';
import { session } from './lib/session.svelte';
import { follow } from './lib/store.svelte';
import App from './App.svelte';

// First of all, or each question would be one that is refused.
await session.begin();
follow();
if (!session.out) connection.open();
const target = document.getElementById('app');
if (target) mount(App, { target });
