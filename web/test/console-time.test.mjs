// Times in the console are the server's zone's, on the days when clocks are changed too.
import assert from 'node:assert/strict';
import { test } from 'node:test';

Object.assign(globalThis, { localStorage: { getItem: () => 'en' }, setInterval: () => 0 });
const { learnZone, local, utc } = await import('../console/time.mjs');

test('what is typed is a time of the zone', () => {
  for (const [zone, typed, time] of [
    ['Asia/Shanghai', '2027-02-05T20:00', '2027-02-05T12:00:00Z'],
    ['UTC', '2027-02-05T20:00:01', '2027-02-05T20:00:01Z'],
    // Clocks are put back: the first of the two.
    ['Europe/Berlin', '2026-10-25T02:30', '2026-10-25T00:30:00Z'],
    ['Europe/London', '2026-10-25T01:30', '2026-10-25T00:30:00Z'],
    ['America/New_York', '2026-11-01T01:30', '2026-11-01T05:30:00Z'],
    ['Australia/Lord_Howe', '2026-04-05T01:45', '2026-04-04T14:45:00Z'],
    // And forward: the time after.
    ['Europe/Berlin', '2026-03-29T02:30', '2026-03-29T01:30:00Z'],
    ['America/New_York', '2026-03-08T02:30', '2026-03-08T07:30:00Z'],
    ['Australia/Sydney', '2026-10-04T02:30', '2026-10-03T16:30:00Z'],
  ]) {
    learnZone(zone);
    assert.equal(utc(typed), time, `${typed} ${zone}`);
  }
  assert.equal(utc(''), null);
});

test('a time that is shown for typing is read as itself, but for the second of two', () => {
  for (const zone of ['Asia/Shanghai', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'America/St_Johns']) {
    learnZone(zone);
    for (const change of ['2026-03-08', '2026-03-29', '2026-04-05', '2026-10-04', '2026-10-25', '2026-11-01']) {
      for (let half = -48; half < 48; half++) {
        const ms = Date.parse(change) + half * 1_800_000, typed = local(ms), again = Date.parse(utc(typed));
        assert.equal(local(again), typed, zone);
        assert.ok(again <= ms && ms - again <= 3_600_000, `${typed} ${zone}`);
      }
    }
  }
});
