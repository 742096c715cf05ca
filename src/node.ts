// The same names, with Dawn behind open() and files behind the readers.
export * from './index.ts';
export { open } from './device/open-node.ts';
export type { NodeOpenOptions } from './device/open-node.ts';
export { readImageFolder } from './data/image-folder-node.ts';
export type { ImageFolderOptions } from './data/image-folder-node.ts';
export { readIdxFolder } from './data/idx-node.ts';
export { readUnlabelledImages } from './data/unlabelled-node.ts';
export { filePlanStore } from './earlyexit/scheduling/plan-store-node.ts';
export { measureEnergy, openEnergyCounter } from './earlyexit/judgement/energy-node.ts';
export type { Energy, EnergyCounter, EnergyOptions } from './earlyexit/judgement/energy-node.ts';
