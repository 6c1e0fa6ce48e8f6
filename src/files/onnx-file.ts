import { Message } from './protobuf.js';

/** A tensor of an ONNX file. */
export interface OnnxTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Int32Array is stored as int64, the type of ONNX's shapes and axes. */
  readonly data: Float32Array | Int32Array;
}

/** The value of a node's attribute: a whole number is an int, a list is ints; floats and text say so. */
export type OnnxAttribute =
  | number
  | readonly number[]
  | { readonly float: number }
  | { readonly text: string };

/** One operation: names of its inputs and outputs, and attributes. */
export interface OnnxNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

/** An input or output; a dimension is a number, or a name where it is free. */
export interface OnnxValue {
  readonly name: string;
  readonly shape: readonly (number | string)[];
}

/** The contents of an ONNX file. */
export interface OnnxModel {
  readonly producer: { readonly name: string; readonly version: string };
  readonly opset: number;
  readonly nodes: readonly OnnxNode[];
  readonly weights: readonly OnnxTensor[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  /** Texts for programs, such as the classes. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** The version of the file format; 8 came with opset 17's releases. */
const IR_VERSION = 8;
const TYPES = { float: 1, int64: 7 };
/** AttributeProto.AttributeType. */
const ATTRIBUTES = { float: 1, int: 2, text: 3, ints: 7 };

/**
 * A model as the bytes of an ONNX file: the messages of onnx.proto3, whose field numbers are written beside each.
 *
 * @see https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3
 */
export function onnxBytes(model: OnnxModel): Uint8Array {
  const out = new Message();
  out.int(1, IR_VERSION);
  out.text(2, model.producer.name);
  out.text(3, model.producer.version);
  out.message(7, (graph) => {
    for (const node of model.nodes) graph.message(1, (message) => writeNode(message, node));
    graph.text(2, model.producer.name);
    for (const weight of model.weights) graph.message(5, (message) => writeTensor(message, weight));
    for (const value of model.inputs) graph.message(11, (message) => writeValue(message, value));
    for (const value of model.outputs) graph.message(12, (message) => writeValue(message, value));
  });
  out.message(8, (opset) => {
    opset.text(1, '');
    opset.int(2, model.opset);
  });
  for (const [key, value] of Object.entries(model.metadata))
    out.message(14, (entry) => {
      entry.text(1, key);
      entry.text(2, value);
    });
  return out.finish();
}

function writeNode(message: Message, { op, inputs, outputs, attributes }: OnnxNode): void {
  for (const name of inputs) message.text(1, name);
  for (const name of outputs) message.text(2, name);
  message.text(3, outputs[0]!);
  message.text(4, op);
  for (const [name, value] of Object.entries(attributes))
    message.message(5, (attribute) => {
      attribute.text(1, name);
      writeAttribute(attribute, value);
    });
}

function writeAttribute(message: Message, value: OnnxAttribute): void {
  if (typeof value === 'number') {
    message.int(3, value);
    message.int(20, ATTRIBUTES.int);
  } else if ('float' in value) {
    message.float(2, value.float);
    message.int(20, ATTRIBUTES.float);
  } else if ('text' in value) {
    message.text(4, value.text);
    message.int(20, ATTRIBUTES.text);
  } else {
    for (const item of value) message.int(8, item);
    message.int(20, ATTRIBUTES.ints);
  }
}

function writeTensor(message: Message, { name, shape, data }: OnnxTensor): void {
  for (const dimension of shape) message.int(1, dimension);
  message.int(2, data instanceof Float32Array ? TYPES.float : TYPES.int64);
  message.text(8, name);
  // Little-endian, as every machine that Node runs on has it.
  const values = data instanceof Float32Array ? data : BigInt64Array.from(data, BigInt);
  message.bytes(9, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
}

function writeValue(message: Message, { name, shape }: OnnxValue): void {
  message.text(1, name);
  message.message(2, (type) =>
    type.message(1, (tensor) => {
      tensor.int(1, TYPES.float);
      tensor.message(2, (dimensions) => {
        for (const size of shape)
          dimensions.message(1, (dimension) => {
            if (typeof size === 'number') dimension.int(1, size);
            else dimension.text(2, size);
          });
      });
    }),
  );
}
