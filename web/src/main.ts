import 'uplot/dist/uPlot.min.css';
import './styles/app.css';
import { mount } from 'svelte';
import App from './App.svelte';
import './lib/theme.svelte';

mount(App, { target: document.getElementById('app') as HTMLElement });
