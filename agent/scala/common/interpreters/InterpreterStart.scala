package livius.agent

import java.util.concurrent.TimeUnit.MILLISECONDS
import java.util.concurrent.atomic.AtomicBoolean
import java.util.concurrent.locks.ReentrantLock

/** The interpreter of one kind, and its start: by one thread at a time, however many need it. */
final class InterpreterStart(make: () => Interpreter, closed: () => Boolean) {

  private val turn = new ReentrantLock
  @volatile private var made: Option[Interpreter] = None
  // How often it failed to start, and why the last time.
  @volatile private var failures = 0
  private var failure: Option[InterpreterUnavailable] = None

  /** The interpreter, whatever its state. */
  def interpreter: Option[Interpreter] = made

  def alive: Option[Interpreter] = made.filter(_.alive)

  /** The interpreter, alive; who comes second waits for the start that the first one makes. */
  def ready(starting: Starting): Interpreter = alive.getOrElse {
    val before = failures
    while (!turn.tryLock(InterpreterStart.LookEveryMs, MILLISECONDS)) starting.check()
    try alive.getOrElse(start(starting, before)) finally turn.unlock()
  }

  private def start(starting: Starting, before: Int): Interpreter = {
    starting.check()
    if (closed()) throw new InterpreterUnavailable("the session ends")
    // What failed while this one waited would fail again, and may take long to do so.
    if (failures != before) failure.foreach(throw _)
    val interpreter = made.getOrElse(make())
    made = Some(interpreter)
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

/** One thread's need of an interpreter, which another thread may end. */
final class Starting {

  private val givenUp = new AtomicBoolean(false)
  @volatile private var making: Option[Interpreter] = None

  def isGivenUp: Boolean = givenUp.get

  /** Ends the wait: at once where another one makes the start, else with that start. Others then make their own. */
  def giveUp(): Unit = if (givenUp.compareAndSet(false, true) && making.nonEmpty) Threads.daemon("end-start") {
    // Again and again: there may be no process yet that could be ended.
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
