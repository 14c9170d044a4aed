// A chart over time that grows while one looks at it.
import { useEffect, useRef } from '../vendor/hooks.mjs';
import { html } from '../vendor/html.mjs';
import uPlot from '../vendor/uplot.mjs';
import { language, t } from './language.mjs';
import { grouped, yuan } from './money.mjs';
import { zone } from './time.mjs';

const height = 240;

const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600]; // seconds between marks

const perSecond = (n) => (n === null || n === undefined ? '–' : String(Math.round(n * 10) / 10));
const money = (fen) => (fen === null || fen === undefined ? '–' : yuan(Math.round(fen)));

// TimeChart draws data ([times in seconds, snatches a second, wins a second, fen left]) on an axis of rates and one of money.
export function TimeChart({ data, budgetFen }) {
  const place = useRef(null);
  const plot = useRef(null);
  const spoken = language.value;
  useEffect(() => {
    const box = place.current;
    const draw = () => {
      plot.current?.destroy();
      plot.current = new uPlot(options(box.clientWidth, budgetFen), data, box);
    };
    draw();
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    scheme.addEventListener('change', draw);
    const size = new ResizeObserver(() => plot.current?.setSize({ width: box.clientWidth, height }));
    size.observe(box);
    return () => {
      scheme.removeEventListener('change', draw);
      size.disconnect();
      plot.current.destroy();
      plot.current = null;
    };
  }, [spoken, budgetFen]);
  useEffect(() => {
    plot.current.setData(data);
    if (plot.current.cursor.idx === null) plot.current.setLegend({ idx: data[0].length - 1 }, false); // nobody points: the latest
  }, [data, spoken, budgetFen]);
  return html`<div class="chart" ref=${place} role="img" aria-label=${t('chart.label')} data-points=${data[0].length}></div>`;
}

function options(width, budgetFen) {
  const style = getComputedStyle(document.documentElement);
  const color = (name) => style.getPropertyValue('--' + name).trim();
  const axis = (more) => ({
    stroke: color('muted'), grid: { stroke: color('line'), width: 1 }, ticks: { show: false }, font: '12px system-ui', gap: 6, ...more,
  });
  const line = (label, name, more) => ({ label, stroke: color(name), width: 2, points: { show: false }, spanGaps: true, ...more });
  return {
    width, height,
    padding: [12, 8, 0, 8],
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone.value),
    cursor: { points: { size: 6 }, drag: { x: false, y: false } },
    scales: {
      rate: { range: (_, low, high) => [0, Math.max(5, high * 1.15)] },
      money: { range: () => [0, Math.max(1, budgetFen) * 1.05] },
    },
    axes: [
      axis({ values: (_, ticks) => ticks.map(clock), incrs: steps, space: 80, size: 30 }),
      axis({ scale: 'rate', size: 46 }),
      axis({ scale: 'money', side: 1, grid: { show: false }, size: 76, values: (_, ticks) => ticks.map(shortYuan) }),
    ],
    series: [
      { label: t('chart.time'), value: (_, s) => (s === null ? '–' : clock(s)) },
      line(t('chart.snatches'), 'chart-snatches', { width: 3.5, scale: 'rate', value: (_, n) => perSecond(n) }),
      line(t('chart.wins'), 'chart-wins', { scale: 'rate', value: (_, n) => perSecond(n) }),
      line(t('chart.left'), 'chart-money', { scale: 'money', fill: color('chart-money-soft'), value: (_, fen) => money(fen) }),
    ],
  };
}

function clock(seconds) {
  return new Intl.DateTimeFormat('en-GB', { timeZone: zone.value, hour: '2-digit', minute: '2-digit', second: '2-digit' }).format(seconds * 1000);
}

// shortYuan is an amount on an axis: whole yuan where it is more than a few.
const shortYuan = (fen) => (fen % 100 === 0 || fen >= 1000 ? '¥' + grouped(Math.round(fen / 100)) : yuan(Math.round(fen)));
