import type { BackendValues, DataId } from '@tensorflow/tfjs-core';
import { UserError } from '../../base/errors.js';
import { registerBackend } from '../../base/tfjs-core.js';
import type { WebgpuBackend } from './backend.js';
import { runTick, scheduled } from './ticks.js';

/** The npm package `webgpu`: Dawn, the WebGPU of Chromium. */
export interface Dawn {
  create(options: readonly string[]): Gpu;
  readonly globals: { readonly GPUBuffer: { readonly prototype: MappedBuffer } };
}

interface Gpu {
  requestAdapter(options: object): Promise<Adapter | null>;
}

interface Adapter {
  readonly info: { readonly vendor: string; readonly architecture: string; readonly description: string };
  readonly features: ReadonlySet<string>;
  readonly limits: Readonly<Record<string, number>>;
  requestDevice(options: object): Promise<Device>;
}

interface Device {
  addEventListener(type: 'uncapturederror', listener: (event: Refusal) => void): void;
}

interface Refusal {
  readonly error: Error;
  preventDefault(): void;
}

interface MappedBuffer {
  readonly size: number;
  readonly mapState: 'unmapped' | 'pending' | 'mapped';
  mapAsync(...range: unknown[]): Promise<void>;
  getMappedRange(): ArrayBuffer;
  unmap(): void;
}

/** The class of tfjs's backend, with the members that a blocking read needs. */
export interface WebgpuBackendClass {
  new (device: Device, info: Adapter['info']): DawnBackend;
}

interface DawnBackend extends WebgpuBackend {
  readonly tensorMap: {
    has(id: DataId): boolean;
    get(id: DataId): { values?: BackendValues | null; dtype: string; resource: MappedBuffer };
  };
  readonly bufferManager: {
    acquireBuffer(size: number, usage: number, ...rest: unknown[]): MappedBuffer;
    releaseBuffer(buffer: MappedBuffer): void;
  };
  readonly commandEncoder: {
    copyBufferToBuffer(from: MappedBuffer, at: number, to: MappedBuffer, place: number, size: number): void;
  };
  ensureCommandEncoderReady(): void;
  endComputePassEncoder(): void;
  submitQueue(): void;
  read(id: DataId): Promise<BackendValues>;
  readSync(id: DataId): BackendValues;
}

/** GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST, and GPUMapMode.READ. */
const STAGING = 0x0001 | 0x0008;
const READ = 0x0001;

/** What tfjs asks of a device beyond the least that WebGPU promises, where the adapter has it. */
const LIMITS = [
  'maxBufferSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupStorageSize',
  'maxComputeWorkgroupsPerDimension',
  'maxStorageBufferBindingSize',
];

/**
 * Registers tfjs's webgpu backend over a card that Dawn finds, and returns the card's name.
 *
 * @throws UserError where Dawn finds none.
 */
export async function registerDawn(dawn: Dawn, Backend: WebgpuBackendClass): Promise<string> {
  Object.assign(globalThis, dawn.globals);
  const { prototype } = dawn.globals.GPUBuffer;
  const { mapAsync } = prototype;
  prototype.mapAsync = function (...range) {
    return scheduled(() => mapAsync.apply(this, range));
  };
  // Kept, since the adapter and the device do not keep it themselves.
  gpu ??= dawn.create([]);
  const adapter = await scheduled(() => gpu!.requestAdapter({ powerPreference: 'high-performance' }));
  if (!adapter)
    throw new UserError(
      '--engine webgpu: expected a card with a driver of Vulkan, Metal or D3D12, got none; install its driver, or use another engine',
    );
  const requiredLimits = Object.fromEntries(LIMITS.map((name) => [name, adapter.limits[name]]));
  const device = await scheduled(() => adapter.requestDevice({ requiredLimits }));
  const { info } = adapter;
  const backend = withNavigator(() => new Backend(device, info));
  readThroughStaging(backend, device);
  limitBuffers(backend, adapter.limits);
  registerBackend('webgpu', () => backend, 3);
  return info.description || `${info.vendor} ${info.architecture}`.trim();
}

let gpu: Gpu | undefined;

/** tfjs's backend asks `navigator.gpu`, as in a browser, when it is made and at no other time. */
function withNavigator<T>(make: () => T): T {
  const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
  Object.defineProperty(globalThis, 'navigator', { value: { gpu }, configurable: true });
  try {
    return make();
  } finally {
    if (before) Object.defineProperty(globalThis, 'navigator', before);
    else Reflect.deleteProperty(globalThis, 'navigator');
  }
}

/**
 * Gives the backend reads that need no canvas, which Node does not have, that outlive their tensor, and that report what
 * WebGPU refused since the last one.
 */
function readThroughStaging(backend: DawnBackend, device: Device): void {
  let refused: Error | undefined;
  device.addEventListener('uncapturederror', (event) => {
    event.preventDefault();
    refused ??= new Error(`webgpu: ${event.error.message}`);
  });
  const finish = (id: DataId, dtype: string, staging: MappedBuffer): BackendValues => {
    const error = refused;
    refused = undefined;
    if (error) throw error;
    if (staging.mapState !== 'mapped') throw new Error('webgpu: the card was lost');
    const bytes = staging.getMappedRange().slice(0);
    staging.unmap();
    backend.bufferManager.releaseBuffer(staging);
    const values = dtype === 'float32' ? new Float32Array(bytes) : integers(bytes, dtype);
    if (backend.tensorMap.has(id)) backend.tensorMap.get(id).values = values;
    return values;
  };
  backend.read = async (id) => {
    const { values, dtype, resource } = backend.tensorMap.get(id);
    if (values) return values;
    const { staging, mapped } = queueCopy(backend, resource);
    await mapped;
    return finish(id, dtype, staging);
  };
  backend.readSync = (id) => {
    const { values, dtype, resource } = backend.tensorMap.get(id);
    if (values) return values;
    const { staging } = queueCopy(backend, resource);
    while (staging.mapState === 'pending')
      if (!runTick()) throw new Error('webgpu: the card does not answer');
    return finish(id, dtype, staging);
  };
}

/** Queues a copy of a buffer of the card into one that JavaScript can read, behind all work queued before. */
function queueCopy(backend: DawnBackend, buffer: MappedBuffer) {
  const staging = backend.bufferManager.acquireBuffer(buffer.size, STAGING);
  backend.ensureCommandEncoderReady();
  backend.endComputePassEncoder();
  backend.commandEncoder.copyBufferToBuffer(buffer, 0, staging, 0, buffer.size);
  backend.submitQueue();
  // What fails is seen from the buffer's state.
  return { staging, mapped: staging.mapAsync(READ).catch(() => {}) };
}

/** Refuses a buffer that the card cannot have, before WebGPU does. */
function limitBuffers(backend: DawnBackend, limits: Readonly<Record<string, number>>): void {
  const { bufferManager } = backend;
  const { acquireBuffer } = bufferManager;
  const most = Math.min(limits['maxBufferSize']!, limits['maxStorageBufferBindingSize']!);
  bufferManager.acquireBuffer = function (size, ...rest) {
    if (size > most)
      throw new Error(
        `webgpu: out of memory: a tensor of ${Math.ceil(size / 2 ** 20)} MiB, where the card takes at most ${Math.floor(most / 2 ** 20)}`,
      );
    return acquireBuffer.apply(this, [size, ...rest]);
  };
}

/** Booleans take four bytes on the card and one in JavaScript. */
function integers(bytes: ArrayBuffer, dtype: string): Int32Array | Uint8Array {
  const values = new Int32Array(bytes);
  return dtype === 'bool' ? Uint8Array.from(values) : values;
}
