// What is looked at again and again: while the page can be seen, and more seldom while it fails.
import { useCallback, useEffect, useRef, useState } from '../vendor/hooks.mjs';
import { Problem } from './request.mjs';
import { standing } from './session.mjs';

const slowest = 15_000; // milliseconds between tries, while they fail
const patience = 10_000; // with an answer: a network that has gone away tells nobody, and what is shown would pass for what is

// usePoll loads now and every so many milliseconds. data is the last that was loaded, and at when; problem is why the
// latest try failed, or null. reload asks at once.
export function usePoll(load, every, inputs) {
  const [state, setState] = useState({ data: null, problem: null, at: 0 });
  const wake = useRef(() => {});
  useEffect(() => {
    const stop = new AbortController();
    setState({ data: null, problem: null, at: 0 });
    run(load, every, stop.signal, setState, wake);
    return () => {
      stop.abort();
      wake.current();
    };
  }, inputs);
  const reload = useCallback(() => wake.current(), []);
  return { ...state, reload };
}

async function run(load, every, signal, setState, wake) {
  let failed = 0;
  while (!signal.aborted) {
    await visible(signal);
    try {
      const data = await inTime(load, signal);
      if (signal.aborted) return;
      failed = 0;
      setState({ data, problem: null, at: Date.now() });
    } catch (problem) {
      if (signal.aborted) return;
      failed++;
      setState((last) => ({ ...last, problem }));
    }
    await pause(failed === 0 ? every : Math.min(every * 2 ** failed, slowest), wake);
  }
}

// inTime is what load brings, if it does within the patience.
async function inTime(load, signal) {
  const limited = new AbortController();
  const end = () => limited.abort();
  signal.addEventListener('abort', end);
  let timer;
  const late = new Promise((_, reject) => {
    timer = setInterval(() => {
      if (standing.value === 'lost') return; // it waits for a person
      reject(new Problem(0, { code: 'unreachable' }));
      end();
    }, patience);
  });
  try {
    return await Promise.race([load(limited.signal), late]);
  } finally {
    clearInterval(timer);
    signal.removeEventListener('abort', end);
  }
}

// pause waits, or until it is woken.
function pause(ms, wake) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    wake.current = () => {
      clearTimeout(timer);
      resolve();
    };
  });
}

function visible(signal) {
  if (!document.hidden) return Promise.resolve();
  return new Promise((resolve) => {
    const look = () => {
      if (document.hidden && !signal.aborted) return;
      document.removeEventListener('visibilitychange', look);
      resolve();
    };
    document.addEventListener('visibilitychange', look);
    signal.addEventListener('abort', look);
  });
}

// useLoad loads once for its inputs, and again when told to.
export function useLoad(load, inputs) {
  const [state, setState] = useState({ data: null, problem: null, loading: true });
  const [round, setRound] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    setState((last) => ({ ...last, loading: true, problem: null }));
    load(stop.signal).then(
      (data) => stop.signal.aborted || setState({ data, problem: null, loading: false }),
      (problem) => stop.signal.aborted || setState((last) => ({ ...last, problem, loading: false })),
    );
    return () => stop.abort();
  }, [...inputs, round]);
  return { ...state, reload: () => setRound((n) => n + 1) };
}
