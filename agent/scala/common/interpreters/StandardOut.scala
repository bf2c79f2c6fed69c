package livius.agent

import java.io.{OutputStream, PrintStream}

/** System.out and Console.out of this driver. Text that a statement's threads print goes into the
  * statement's output, all other text to the original stream.
  *
  * A statement's threads are the statement thread and all that were started from it, pools
  * included, also when they outlive the statement that started them.
  */
object StandardOut {

  private val original = System.out
  @volatile private var current: Option[Printout] = None

  private val ofStatement = new InheritableThreadLocal[Boolean] {
    override def initialValue: Boolean = false
  }

  private val stream = new PrintStream(new Dispatch, true, "UTF-8")

  def install(): Unit = System.setOut(stream)

  /** Collects what the body and the threads that it starts print. */
  def into[A](capture: Printout)(body: => A): A = {
    ofStatement.set(true)
    current = Some(capture)
    try Console.withOut(stream)(body)
    finally {
      stream.flush()
      current = None
      ofStatement.set(false)
    }
  }

  private final class Dispatch extends OutputStream {
    override def write(byte: Int): Unit = write(Array(byte.toByte), 0, 1)

    override def write(bytes: Array[Byte], from: Int, count: Int): Unit =
      if (ofStatement.get) current.fold(original.write(bytes, from, count))(_.write(bytes, from, count))
      else original.write(bytes, from, count)

    override def flush(): Unit = original.flush()
  }
}
