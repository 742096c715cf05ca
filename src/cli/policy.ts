import { POLICIES } from '../node.ts';
import type { ClassifierOptions } from '../node.ts';
import { note } from './console.ts';
import { measurements } from './device.ts';
import { choice, flag, number, optionalFlag } from './flags.ts';

export const policyFlags = {
  policy: flag(choice(...POLICIES, 'auto'), {
    placeholder: 'policy',
    help:
      `How the host learns where samples leave: ${POLICIES.join(', ')}, ` +
      'or auto, which measures this device and picks',
    fallback: 'readback',
  }),
  deadline: optionalFlag(number(0, Infinity, { exclusive: true }), {
    placeholder: 'ms',
    help: 'Answer with the best that is known when so many milliseconds have passed; samples then go one by one',
  }),
};

export function policyOptions({
  policy,
}: {
  policy: (typeof POLICIES)[number] | 'auto';
}): Pick<ClassifierOptions, 'policy' | 'store'> {
  if (policy !== 'auto') return { policy };
  note('--policy auto: measuring this device, unless that has been done before');
  return { policy, store: measurements() };
}
