package livius.agent

import java.lang.reflect.Method

import scala.util.Try

/** Gets a thread out of a blocking system call, such as a read from a socket whose other end says
  * nothing.
  *
  * A forced stop reaches a thread in Java code only, and `Thread.interrupt` does not end such a
  * read. Java's own channels send the thread a signal for that; the class that does is closed, but
  * Spark's launch flags open its package.
  */
object NativeWake {

  private val threads: Option[Class[_]] = Try[Class[_]](Class.forName("sun.nio.ch.NativeThread")).toOption
  private val currentMethod = method("current")
  private val signalMethod = method("signal", java.lang.Long.TYPE)

  /** The calling thread's handle for `wake`, if this Java gives one. */
  def current: Option[Long] = currentMethod.flatMap(m => Try(m.invoke(null).asInstanceOf[Long]).toOption).filter(_ > 0)

  /** Interrupts the thread's system call. Only for a thread that is alive for certain. */
  def wake(thread: Long): Unit = signalMethod.foreach(m => Try(m.invoke(null, Long.box(thread))))

  private def method(name: String, arguments: Class[_]*): Option[Method] = threads.flatMap { owner =>
    Try {
      val found = owner.getDeclaredMethod(name, arguments: _*)
      found.setAccessible(true)
      found
    }.toOption
  }
}
