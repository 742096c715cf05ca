import { multiExit } from '../../src/earlyexit/network.ts';
import type { Network } from '../../src/earlyexit/network.ts';
import { conv2d, flatten, linear, maxPool2d } from '../../src/nn/layers.ts';

/** Three exits, untrained: what is tested is who leaves where. */
export const threeExits = (classes: number): Network =>
  multiExit({
    name: `three-exits-${classes}`,
    input: [1, 28, 28],
    classes,
    stages: [
      { body: [conv2d(1, 4, { kernel: 5, stride: 2, activation: 'relu' })], exit: [maxPool2d({ kernel: 4 }), flatten(), linear(36, classes)] },
      { body: [conv2d(4, 6, { kernel: 3, padding: 1, activation: 'relu' })], exit: [maxPool2d({ kernel: 4 }), flatten(), linear(54, classes)] },
      { body: [maxPool2d({ kernel: 2 }), flatten(), linear(216, 20, { activation: 'relu' })], exit: [linear(20, classes)] },
    ],
  });

/** The built-in entropy criterion, said in WGSL. */
export const ENTROPY = `struct Params {
  threshold: f32,
}

fn leave(s: ExitScores, p: Params) -> bool {
  return s.entropy < p.threshold;
}
`;

/** A kernel that does what the library's does, by the criterion that is linked in. */
export const OWN_KERNEL = `
import package::lib::exit_decision::decide;
import package::lib::exit_decision::hasLeft;
import package::lib::exit_scores::addLogit;
import package::lib::exit_scores::noScores;
import package::lib::exit_settings::settings;
import package::lib::grid::linearIndex;
import package::lib::live::Live;

struct Params {
  classes: u32,
}

@group(0) @binding(3) var<storage, read> logits: array<u32>;
@group(0) @binding(4) var<storage, read> origin: array<u32>;
@group(0) @binding(5) var<storage, read_write> stays: array<u32>;
@group(0) @binding(6) var<uniform> params: Params;
@group(0) @binding(7) var<uniform> live: Live;

@compute @workgroup_size(32)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let row = linearIndex(group, local, 32);
  if (row >= live.rows) {
    if (row == 0) {
      stays[0] = 0;
    }
    return;
  }
  let at = origin[row];
  if (hasLeft(at)) {
    stays[row] = 0;
    return;
  }
  var running = noScores();
  for (var label = 0u; label < params.classes; label++) {
    running = addLogit(running, logits[row * params.classes + label], settings.inverseTemperature, label);
  }
  stays[row] = u32(!decide(at, running, params.classes));
}
`;

/** It decides by logsumexp of the logits instead. */
export const ENERGY_KERNEL = OWN_KERNEL.replace(
  'import package::lib::exit_decision::decide;\n',
  `import package::lib::exit_decision::recordOf;
import package::lib::exit_record::records;
import package::lib::exit_scores::exitScores;
`,
)
  .replace(
    '@group(0) @binding(3)',
    `struct Tuning {
  energy: f32,
}

@group(0) @binding(1) var<storage, read> criterion: Tuning;
@group(0) @binding(3)`,
  )
  .replace(
    '  stays[row] = u32(!decide(at, running, params.classes));',
    `  let energy = running.greatest + log(running.s);
  let scores = exitScores(running, settings.exit, params.classes);
  let leaving = settings.always == 1 || (scores.finite && energy > criterion.energy);
  records[at] = recordOf(scores, leaving);
  stays[row] = u32(!leaving);`,
  );
