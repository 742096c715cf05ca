import { expect, test } from 'vitest';
import { measureExitTimes } from '../../src/earlyexit/judgement/exit-times.ts';
import { Model } from '../../src/earlyexit/model.ts';
import { mlp } from '../../src/earlyexit/models/mlp.ts';
import { proceduralDigits } from '../../src/data/procedural-digits.ts';
import { openTestDevice } from '../open-test-device.ts';

const device = await openTestDevice();

test('every exit is timed as often as asked, whatever the scores', async () => {
  using model = Model.initialize(device, mlp(), { seed: 1 });
  const digits = proceduralDigits({ count: 3, seed: 1 });
  for (const policy of ['readback', 'gated'] as const) {
    const times = await measureExitTimes(model, digits, { policy, calls: 12 });
    expect(times).toMatchObject({ adapter: device.name, policy });
    expect([...times.toExit, times.full].map(({ length }) => length)).toEqual([12, 12, 12, 12]);
    for (const ms of [...times.toExit, times.full].flat()) expect(ms).toBeGreaterThan(0);
  }
  await expect(measureExitTimes(model, digits, { calls: 0 })).rejects.toThrow('expected 1 call or more for each exit');
  // Scores that are not finite leave at the last exit, and so are no time of another.
  const { whole } = model.parameters;
  whole.write(new Float32Array(whole.shape[0]!).fill(NaN));
  const broken = await measureExitTimes(model, digits, { calls: 2 });
  expect(broken.toExit.map(({ length }) => length)).toEqual([0, 0, 6]);
});
