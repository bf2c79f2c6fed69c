package livius.agent

import java.util.concurrent.{CountDownLatch, TimeUnit}

import scala.util.{Failure, Success}

import org.apache.spark.SparkContext

/** Runs the lessons of a session's kind on its own interpreter, before the session is anybody's. */
final class Rehearsal(interpreters: Interpreters, context: () => SparkContext, kind: String) {

  import Rehearsal._

  private val over = new CountDownLatch(1)
  @volatile private var current: Option[Interpreter] = None

  /** Runs them, on the statement thread. */
  def run(): Unit = {
    try Lessons.of(kind).iterator.takeWhile(_ => !interpreters.isClosed && over.getCount > 0).foreach(one)
    finally {
      leaveGroup()
      over.countDown()
    }
    Thread.interrupted(): Unit
  }

  /** Waits until they are over. After the longest time they are ended. */
  def await(): Unit = if (!over.await(LongestMs, TimeUnit.MILLISECONDS)) {
    Log.line(s"the driver has not become warm within ${LongestMs / 1000} s, and is ready all the same")
    over.countDown()
    Threads.daemon("end-rehearsal")(end()): Unit
  }

  private def one(lesson: Lessons.Lesson): Unit = Attempt {
    val interpreter = interpreters.ready(lesson.kind)
    Group.enter(context())
    current = Some(interpreter)
    try interpreter.rehearse(lesson.code) finally current = None
  } match {
    case Success(()) => ()
    case Failure(error) => Log.line(s"a lesson of ${lesson.kind} failed, and the session's first job may be slow: ${StackTraces.message(error)}")
  }

  // The statement thread's later Spark jobs are the statements'.
  private def leaveGroup(): Unit = Attempt {
    context().clearJobGroup()
    context().setLocalProperty(JobGroup.Mark, null)
  }: Unit

  /** No lesson has variables to lose, so it is ended as a cancelled statement is. */
  private def end(): Unit = {
    var asked = 0
    while (current.nonEmpty) {
      Attempt(context().cancelJobGroup(Group.name))
      current.foreach(lesson => if (asked < PatientAsks) lesson.interrupt() else lesson.kill(): Unit)
      asked += 1
      Thread.sleep(AskEveryMs)
    }
  }
}

object Rehearsal {

  /** The group of the lessons' Spark jobs. */
  val Group: JobGroup = JobGroup("livius-warm-up", "Livius: a warm-up before the session's first statement")

  private val LongestMs = 60000L
  private val AskEveryMs = 1000L
  private val PatientAsks = 5
}
