import { describe, expect, it } from 'vitest';
import { adam, cosine, sgd, stepDecay, warmUp } from '../../src/autograd/optimizer.ts';
import * as schedules from '../../src/earlyexit/training/schedules.ts';
import type { ScheduleContext, WeightSchedule } from '../../src/earlyexit/training/schedules.ts';
import { weightsAt } from '../../src/earlyexit/training/weighing.ts';

const context: ScheduleContext = {
  steps: 40,
  stepsPerEpoch: 10,
  exits: 3,
  macs: { full: 380, toExit: [100, 250, 400], heads: [10, 10, 10] },
};
const at = (schedule: WeightSchedule, step: number): number[] =>
  [1, 2, 3].map((exit) => Math.round(schedule(step, exit, context) * 1e9) / 1e9);

describe('schedules of the weights of exits', () => {
  it('hold still, or follow time, depth or cost', () => {
    expect(at(schedules.constant(0.3), 7)).toEqual([0.3, 0.3, 1]);
    const line = schedules.linear({ from: 1, to: 0 });
    expect([at(line, 1), at(line, 14), at(line, 40)]).toEqual([[1, 1, 1], [0.666666667, 0.666666667, 1], [0, 0, 1]]);
    expect(at(schedules.byDepth(), 1)).toEqual([0.333333333, 0.666666667, 1]);
    expect(at(schedules.byMacs(), 1)).toEqual([0.25, 0.625, 1]);
  });

  it('can begin without exits', () => {
    const schedule = schedules.warmUpWithoutExits({ share: 0.25, after: schedules.byMacs() });
    expect([at(schedule, 1), at(schedule, 10), at(schedule, 11)]).toEqual([[0, 0, 1], [0, 0, 1], [0.25, 0.625, 1]]);
    expect(at(schedules.warmUpWithoutExits({ share: 0.5 }), 21)).toEqual([1, 1, 1]);
  });

  it('follow the rule of shallow-deep networks, epoch by epoch', () => {
    const schedule = schedules.sdn({ max: [0.4, 0.8] });
    expect([at(schedule, 1), at(schedule, 10)]).toEqual([[0.11, 0.21, 1], [0.11, 0.21, 1]]);
    expect([at(schedule, 11), at(schedule, 31)]).toEqual([[0.21, 0.41, 1], [0.4, 0.8, 1]]);
    expect(at(schedules.sdn(), 31)).toEqual([0.25, 0.625, 1]);
  });

  it('follow the rules of LayerSkip', () => {
    // e = [0, scale, 2 + scale], over their sum.
    expect(at(schedules.layerSkip({ scale: 0.5 }), 1)).toEqual([0, 0.166666667, 0.833333333]);
    const rotating = schedules.layerSkip({ scale: 0.5, curriculum: 'rotational' });
    expect([at(rotating, 1), at(rotating, 2)]).toEqual([[0, 0, 1], [0, 0.166666667, 0.833333333]]);
    const gradual = schedules.layerSkip({ scale: 0.5, curriculum: 'gradual' });
    // One more exit each 40 / 6 steps.
    expect([at(gradual, 7), at(gradual, 8)]).toEqual([[0, 0, 1], [0, 0.166666667, 0.833333333]]);
  });

  it('may be of any make, but give weights of 0 or more', () => {
    const own: WeightSchedule = (step, exit) => step - exit;
    expect(weightsAt([own, 5, own], 4, context)).toEqual([3, 5, 1]);
    const message = 'train: expected weights of 0 or more, got -1 from own for exit 3 at step 2';
    expect(() => weightsAt([own, 5, own], 2, context)).toThrow(message);
  });
});

describe('learning rates', () => {
  const rates = (schedule: Parameters<typeof warmUp>[0], steps: number[]): number[] =>
    steps.map((step) => Math.round(sgd({ learningRate: schedule }).hyper(step)[0]! * 1e6) / 1e6);

  it('decay in steps, and warm up', () => {
    expect(rates(stepDecay(0.8, { every: 3, factor: 0.5 }), [1, 3, 4, 6, 7])).toEqual([0.8, 0.8, 0.4, 0.4, 0.2]);
    expect(rates(warmUp(0.4, 4), [1, 2, 4, 9])).toEqual([0.1, 0.2, 0.4, 0.4]);
    expect(rates(warmUp(cosine(1, 10), 2), [1, 2, 6])).toEqual([0.5, 0.975528, 0.5]);
    expect(adam({ learningRate: warmUp(0.4, 4) }).options).toMatchObject({ learningRate: 0.1, schedule: 'warmUp' });
  });

  it('follow all steps, while the corrections of Adam follow the age of its state', () => {
    const optimizer = adam({ learningRate: cosine(1, 10) });
    const [late, fresh] = [optimizer.hyper(6, { age: 1, factor: 0.5 }), optimizer.hyper(1)];
    expect(late[0]).toBeCloseTo(0.25);
    expect(late.slice(1)).toEqual(fresh.slice(1));
  });
});
