// Workers that act until they are stopped; what `act()` does, or a whole worker, is each kind of traffic's own.
import { setTimeout as pause } from 'node:timers/promises';

export class Traffic {
  constructor({ workers, pauseMs }) {
    Object.assign(this, { workers, pauseMs });
  }

  start() {
    this.running = true;
    this.work = Promise.all(Array.from({ length: this.workers }, () => this.worker()));
    return this;
  }

  // What is under way is done to its end first.
  async stop() {
    this.running = false;
    await this.work;
  }

  async worker() {
    while (this.running) {
      await this.act();
      await pause(this.pauseMs);
    }
  }
}
