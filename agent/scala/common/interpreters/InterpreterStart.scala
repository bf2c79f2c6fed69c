package livius.agent

import java.util.concurrent.TimeUnit.MILLISECONDS
import java.util.concurrent.atomic.AtomicBoolean
import java.util.concurrent.locks.ReentrantLock

/** The interpreter of one kind, and its start: one thread starts it, however many need it. */
final class InterpreterStart(make: () => Interpreter, closed: () => Boolean) {

  private val turn = new ReentrantLock
  @volatile private var made: Option[Interpreter] = None
  @volatile private var since = 0L
  // The number of failed starts, and the reason of the last one.
  @volatile private var failures = 0
  private var failure: Option[InterpreterUnavailable] = None

  /** The interpreter, in any state. */
  def interpreter: Option[Interpreter] = made

  def alive: Option[Interpreter] = made.filter(_.alive)

  def running: Option[RunningInterpreter] = alive.map(interpreter => RunningInterpreter(interpreter.kind, since))

  /** The interpreter, alive. The first caller starts it; any other waits for that start. */
  def ready(starting: Starting): Interpreter = alive.getOrElse {
    val before = failures
    while (!turn.tryLock(InterpreterStart.LookEveryMs, MILLISECONDS)) starting.check()
    try alive.getOrElse(start(starting, before)) finally turn.unlock()
  }

  private def start(starting: Starting, before: Int): Interpreter = {
    starting.check()
    if (closed()) throw new InterpreterUnavailable("the session ends")
    // A start that failed while this thread waited would fail again, and may take long to do so.
    if (failures != before) failure.foreach(throw _)
    val interpreter = made.getOrElse(make())
    made = Some(interpreter)
    since = System.currentTimeMillis
    try starting.make(interpreter)
    catch { case unavailable: InterpreterUnavailable => failed(unavailable, starting); throw unavailable }
    if (closed()) interpreter.close()
    interpreter
  }

  // A start that was given up says nothing about the next one.
  private def failed(unavailable: InterpreterUnavailable, starting: Starting): Unit = if (!starting.isGivenUp) {
    failure = Some(unavailable)
    failures += 1
  }
}

object InterpreterStart {
  private val LookEveryMs = 100L
}

/** One thread's wait for an interpreter, which another thread may end. */
final class Starting {

  private val givenUp = new AtomicBoolean(false)
  @volatile private var making: Option[Interpreter] = None

  def isGivenUp: Boolean = givenUp.get

  /** Ends the wait: at once if another thread makes the start, else by ending the start. Other
    * waiting threads then make their own.
    */
  def giveUp(): Unit = if (givenUp.compareAndSet(false, true) && making.nonEmpty) Threads.daemon("end-start") {
    // Repeated, because there may be no process to end yet.
    while (making.nonEmpty) {
      making.foreach(_.abortStart())
      Thread.sleep(Starting.AbortEveryMs)
    }
  }

  private[agent] def check(): Unit = if (isGivenUp) throw new InterpreterUnavailable("its start was given up")

  private[agent] def make(interpreter: Interpreter): Unit = {
    making = Some(interpreter)
    try {
      check()
      interpreter.start()
    } finally making = None
  }
}

object Starting {
  private val AbortEveryMs = 100L
}
