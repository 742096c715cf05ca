// Names of the subpath `exitgpu/onnx`, nothing else.
export { mapNode, ONNX_OPERATORS } from './map-node.ts';
export { known } from './node.ts';
export type { OnnxAttribute, OnnxDtype, OnnxNode, OnnxTensor, OnnxValue } from './node.ts';
