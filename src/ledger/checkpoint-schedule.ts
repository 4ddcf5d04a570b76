/**
 * When a checkpoint is due: after so many entries, or so many seconds with any that none covers.
 *
 * @module
 */

export interface ScheduleOptions {
  readonly entries: number;
  readonly seconds: number;
  /** Size that a checkpoint covers already. */
  readonly published: number;
  /** Called when the time has come. */
  readonly onTime: () => void;
}

export interface CheckpointSchedule {
  /** Whether so much was appended that a checkpoint is due. */
  isDue(size: number): boolean;
  /** A checkpoint of this size was published. */
  published(size: number): void;
  /** One was not: the next is due when as much again has come, not at every commit. */
  failed(size: number): void;
  /** Nothing is going on: waits for the time if there is anything to publish. */
  rest(size: number): void;
  stop(): void;
}

export function createCheckpointSchedule(options: ScheduleOptions): CheckpointSchedule {
  const { entries, seconds, onTime } = options;
  let covered = options.published;
  let due = covered + entries;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  return {
    isDue: (size) => size >= due,
    published(size) {
      covered = size;
      due = size + entries;
    },
    failed(size) {
      due = size + entries;
    },
    rest(size) {
      if (stopped || size <= covered) return;
      timer ??= setTimeout(() => {
        timer = undefined;
        onTime();
      }, seconds * 1000);
      timer.unref(); // a checkpoint that is due must not keep a process alive
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
