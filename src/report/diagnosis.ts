import type { Evidence, Examination, Finding } from '../earlyexit/judgement/diagnosis.ts';
import { percent, plural, significant, whole } from './format.ts';
import { interval, pointInterval } from './sweep.ts';
import { table, wrap } from './table.ts';

const WIDTH = 80;

/** Examinations as text of at most 80 columns: what was found, then what was not, then what was not looked at. */
export function diagnosisText(
  examinations: readonly Examination[],
  { title, about }: { title: string; about: string },
): string {
  const looked = examinations.filter((one): one is Finding => one.found !== null);
  const findings = looked.filter(({ found }) => found);
  const sound = looked.filter(({ found }) => !found);
  const skipped = examinations.flatMap((one) => (one.found === null ? [one] : []));
  return [
    ...wrap(`${title} on ${about}; 95 % intervals`, WIDTH),
    '',
    `  ${findings.length > 0 ? plural(findings.length, 'finding') : 'Nothing found'} in ${looked.length} examinations.`,
    ...findings.flatMap((finding) => [
      '',
      finding.kind.toUpperCase(),
      ...wrap(finding.says, WIDTH),
      numbers(finding.evidence),
      ...wrap(`found where ${finding.rule}`, WIDTH),
      ...wrap(`next: ${finding.next}`, WIDTH),
    ]),
    ...(sound.length > 0 ? ['', 'Looked at, not found:'] : []),
    ...sound.flatMap(({ kind, says, evidence }) => ['', ...wrap(`${kind}: ${says}`, WIDTH), numbers(evidence)]),
    ...(skipped.length > 0 ? ['', 'Not looked at:'] : []),
    ...skipped.flatMap(({ kind, needs }) => wrap(`${kind}: needs ${needs}`, WIDTH)),
  ].join('\n');
}

const numbers = (evidence: readonly Evidence[]): string =>
  table(evidence.map((one) => [one.what, valueText(one)]), { indent: 2 });

function valueText({ unit, value }: Evidence): string {
  const range = (show: (value: number) => string): string =>
    value.low === value.high ? show(value.value) : `${show(value.value)} [${show(value.low)}, ${show(value.high)}]`;
  switch (unit) {
    case 'share':
      return value.low === value.high ? percent(value.value) : interval(value);
    case 'difference':
      return `${pointInterval(value)} points`;
    case 'macs':
      return range(whole);
    case 'ms':
      return `${range(significant)} ms`;
    case 'threshold':
      return range(significant);
  }
}
