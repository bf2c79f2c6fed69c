package livius.agent

import java.io.{OutputStream, PrintStream}
import java.util.concurrent.{ForkJoinPool, ForkJoinWorkerThread}

import org.apache.spark.TaskContext

/** System.out and Console.out of this driver. While a statement runs, text that any thread prints
  * goes into the statement's output, except text of threads that are known to work for something
  * else. All other text goes to the original stream.
  *
  * The thread that started a pool says nothing about the work that the pool does, because pools
  * such as Java's common pool serve everybody.
  */
object StandardOut {

  private val original = System.out
  @volatile private var current: Option[Printout] = None

  private val worksElsewhere = new InheritableThreadLocal[Boolean] {
    override def initialValue: Boolean = false
  }

  private val stream = new PrintStream(new Dispatch, true, "UTF-8") {
    // Code that closes it must not mute the statements after it.
    override def close(): Unit = flush()
  }

  def install(): Unit = System.setOut(stream)

  /** Collects what is printed while the body runs. */
  def into[A](capture: Printout)(body: => A): A = {
    current = Some(capture)
    try Console.withOut(stream)(body)
    finally {
      stream.flush()
      current = None
    }
  }

  /** Work that is no statement's. What this thread and the threads that it starts print is not
    * collected.
    */
  def elsewhere[A](body: => A): A = {
    val before = worksElsewhere.get
    worksElsewhere.set(true)
    try body finally worksElsewhere.set(before)
  }

  private def isOthers: Boolean =
    TaskContext.get() != null || isOfSpark(Thread.currentThread.getName) || (worksElsewhere.get && !isOfSharedPool(Thread.currentThread))

  /** Whether it is a thread of an executor in this process, or of a streaming query. */
  private def isOfSpark(name: String): Boolean = SparksThreads.exists(name.startsWith)

  private val SparksThreads = Seq("Executor task launch worker", "stream execution thread for ", "streaming-job-executor-")

  private def isOfSharedPool(thread: Thread): Boolean = thread match {
    case worker: ForkJoinWorkerThread =>
      (worker.getPool eq ForkJoinPool.commonPool) || worker.getName.startsWith("scala-execution-context-global")
    case _ => false
  }

  private final class Dispatch extends OutputStream {
    override def write(byte: Int): Unit = write(Array(byte.toByte), 0, 1)

    override def write(bytes: Array[Byte], from: Int, count: Int): Unit =
      current.filterNot(_ => isOthers).fold(original.write(bytes, from, count))(_.write(bytes, from, count))

    override def flush(): Unit = original.flush()
  }
}
