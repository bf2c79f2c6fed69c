package livius.agent

import scala.util.Try

/** Lets other threads stop the user code that runs on one thread. */
final class StoppableThread {

  private var asked = false
  private var running: Option[Thread] = None
  private var native: Option[Long] = None

  /** Begins a statement: an interrupt asked for earlier was not meant for it. */
  def begin(): Unit = synchronized { asked = false }

  /** Tells whether this statement is to stop. For the steps between pieces of user code. */
  def isAsked: Boolean = synchronized(asked)

  /** Runs user code. Interrupts reach the thread in here only: an interrupted compiler cannot be
    * used again.
    */
  def run[A](body: => A): A = {
    enter()
    try body
    finally {
      // A late forced stop may hit this line.
      try leave() catch { case _: Throwable => leave() }
    }
  }

  def interrupt(): Unit = synchronized {
    asked = true
    running.foreach { thread =>
      Interrupts.raise(thread)
      thread.interrupt()
    }
  }

  /** Throws a ThreadDeath into the thread, on Java 19 and older. To be repeated while the code
    * runs.
    */
  def stop(): Boolean = synchronized {
    asked = true
    running.forall(thread => isInitializing(thread) || stopNow(thread))
  }

  private def stopNow(thread: Thread): Boolean = {
    val stopped = Try(classOf[Thread].getMethod("stop").invoke(thread)).isSuccess
    if (stopped) native.foreach(NativeWake.wake)
    stopped
  }

  // A class whose initialisation is broken off stays unusable. For the classes of the user's own
  // lines that is right.
  private def isInitializing(thread: Thread): Boolean =
    thread.getStackTrace.exists(frame => frame.getMethodName == "<clinit>" && !frame.getClassName.startsWith("$line"))

  private def enter(): Unit = synchronized {
    if (asked) throw new StatementInterrupted
    running = Some(Thread.currentThread)
    native = NativeWake.current
  }

  private def leave(): Unit = synchronized {
    running = None
    Interrupts.clear(Thread.currentThread)
    Thread.interrupted(): Unit
  }
}
