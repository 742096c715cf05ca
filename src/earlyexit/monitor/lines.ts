import type { ExitHistogram } from './histograms.ts';
import type { Alarm } from './monitor.ts';

/** A reading and its alarms as a line of JSON, its end included: for `onReading` of a supervisor, and a file. */
export const readingLine = (
  histograms: readonly ExitHistogram[],
  alarms: readonly Alarm[],
  time: Date = new Date(),
): string => {
  const exits = histograms.map(({ exit, count, labels, scores, notFinite }) => ({
    exit,
    count,
    labels: [...labels],
    scores: [...scores],
    notFinite,
  }));
  return `${JSON.stringify({ time: time.toISOString(), exits, alarms })}\n`;
};
