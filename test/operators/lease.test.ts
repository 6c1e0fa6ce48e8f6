import assert from 'node:assert/strict';
import { memory, type Scalar, scalar } from '@tensorflow/tfjs-core';
import { catchError, EMPTY, lastValueFrom, map, mergeMap, of, toArray } from 'rxjs';
import { concatLease } from '../../operators/concat-lease.js';
import { Lease } from '../../operators/lease.js';
import { prefetch } from '../../operators/prefetch.js';

describe('a lease whose work throws before there is a stream', () => {
  const fail = (): never => {
    throw new Error('no stream');
  };
  const leases = (count: number, ahead = 1) => prefetch(Array(count).keys(), (i) => of(scalar(i)), { ahead });

  it('ends, and frees its value once', () => {
    const freed: string[] = [];
    const lease = new Lease({ dispose: () => freed.push('value') }, () => freed.push('end'));
    lease
      .using(fail)
      .pipe(catchError(() => EMPTY))
      .subscribe();
    assert.deepEqual(freed, ['value', 'end']);
  });

  it('leaves no tensor behind in concatLease', async () => {
    const before = memory().numTensors;
    await assert.rejects(lastValueFrom(leases(4).pipe(concatLease(fail))), /no stream/);
    assert.equal(memory().numTensors, before);
  });

  it('lets prefetch go on where the error is caught', async () => {
    const values = await lastValueFrom(
      leases(5).pipe(
        mergeMap((lease) =>
          lease
            .using<number>((value$) =>
              value$.pipe(map((value: Scalar) => (value.dataSync()[0]! % 2 ? fail() : value.dataSync()[0]!))),
            )
            .pipe(catchError(() => of(-1))),
        ),
        toArray(),
      ),
    );
    assert.deepEqual(values, [0, -1, 2, -1, 4]);
    const none = await lastValueFrom(
      leases(5).pipe(
        mergeMap((lease) => lease.using(fail).pipe(catchError(() => of('caught')))),
        toArray(),
      ),
    );
    assert.deepEqual(none, Array(5).fill('caught'));
  });
});

describe('prefetch whose load throws', () => {
  it('closes the plans', () => {
    let closed = false;
    function* plans() {
      try {
        for (let i = 0; ; i++) yield i;
      } finally {
        closed = true;
      }
    }
    const load = (): never => {
      throw new Error('no load');
    };
    let message = '';
    prefetch(plans(), load, { ahead: 1 }).subscribe({
      error: (error: Error) => {
        message = error.message;
      },
    });
    assert.deepEqual([message, closed], ['no load', true]);
  });
});
