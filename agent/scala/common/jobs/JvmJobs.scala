package livius.agent

import java.util.concurrent.ConcurrentHashMap

import org.apache.livy.Job
import org.apache.spark.sql.SparkSession

/** Runs the jobs of Livy's Java and Scala clients, in this JVM. */
final class JvmJobs(session: () => SparkSession, classes: ReplClasses, settings: Settings) extends JobRunner {

  private lazy val folder = new PrivateFolder("jobs").closeAtExit()
  private val shared = new SharedObjects(JvmJobs.MostShared)
  private var last: Option[LivyJobContext] = None
  private val serializer = new JobSerializer
  private val threads = new ConcurrentHashMap[Int, StoppableThread]()

  override def run(job: Int, group: String, payload: Array[Byte]): JobResult = {
    val stoppable = new StoppableThread
    threads.put(job, stoppable)
    try {
      val context = prepare()
      stoppable.run(result(context, payload))
    } catch {
      case error: Throwable => JobResult.Failed(JvmJobs.words(error))
    } finally threads.remove(job): Unit
  }

  override def cancel(job: Int): Unit = Option(threads.get(job)).foreach(_.interrupt())

  override def kill(job: Int): Boolean = Option(threads.get(job)).forall(_.stop())

  private def prepare(): LivyJobContext = {
    classes.jars.refresh()
    Thread.currentThread.setContextClassLoader(classes.loader)
    val current = session()
    SparkSession.setActiveSession(current)
    contextOf(current)
  }

  // The session's code may have replaced the SparkSession.
  private def contextOf(current: SparkSession): LivyJobContext = synchronized {
    val context = last.filter(_.session eq current).getOrElse(new LivyJobContext(current, folder, shared))
    last = Some(context)
    context
  }

  private def result(context: LivyJobContext, payload: Array[Byte]): JobResult = serializer.read(payload, classes.loader) match {
    case (job: Job[_], dialect) =>
      val value: Any = job.call(context)
      JobResult.Ok(Option(value).map(serializer.write(_, classes.loader, dialect, settings.outputBytes)))
    case (null, _) => JobResult.Failed("the job is null")
    case (other, _) => JobResult.Failed(s"the job is of ${other.getClass}, which is no ${classOf[Job[_]].getName}")
  }
}

private object JvmJobs {

  private val MostShared = 100

  private def words(error: Throwable): String = error match {
    case tooLong: ResultTooLong => tooLong.getMessage
    case _ if isMissingClass(error, depth = 0) => StackTraces.text(error) + MissingClass
    case _ => StackTraces.text(error)
  }

  private def isMissingClass(error: Throwable, depth: Int): Boolean = error match {
    case _: ClassNotFoundException | _: NoClassDefFoundError => true
    case _ => depth < 16 && StackTraces.cause(error).exists(isMissingClass(_, depth + 1))
  }

  private val MissingClass =
    "A class of the job is not in the driver: add the jar that it is in to the session first (uploadJar or addJar). " +
      "Java does not look again for what it has once missed: if the jar is there by now, start a new session.\n"
}
