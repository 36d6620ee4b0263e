import './app.css';
import './lib/hello.svelte'; // listens before the stream is open
import { mount } from 'svelte';
import { connection } from './lib/events.svelte';
import { follow } from './lib/store.svelte';
import App from './App.svelte';

follow();
connection.open();
const target = document.getElementById('app');
if (target) mount(App, { target });
