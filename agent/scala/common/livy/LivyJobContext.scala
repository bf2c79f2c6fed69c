package livius.agent

import java.io.File

import org.apache.livy.JobContext
import org.apache.spark.api.java.JavaSparkContext
import org.apache.spark.sql.{SQLContext, SparkSession}
import org.apache.spark.streaming.Duration
import org.apache.spark.streaming.api.java.JavaStreamingContext

/** The context of this driver's JVM jobs. */
final class LivyJobContext(val session: SparkSession, folder: PrivateFolder, shared: SharedObjects) extends JobContext with HiveOfJobs {

  private val context = JavaSparkContext.fromSparkContext(session.sparkContext)
  private var streaming: Option[JavaStreamingContext] = None

  override def sc(): JavaSparkContext = context

  override def sqlctx(): SQLContext = session.sqlContext

  override def sparkSession[E](): E = session.asInstanceOf[E]

  override def streamingctx(): JavaStreamingContext = synchronized {
    streaming.getOrElse(throw new IllegalStateException("there is no streaming context: call createStreamingContext first"))
  }

  override def createStreamingContext(batchDuration: Long): Unit = synchronized {
    if (streaming.nonEmpty) throw new IllegalStateException("there is a streaming context: call stopStreamingCtx first")
    streaming = Some(new JavaStreamingContext(context, new Duration(batchDuration)))
  }

  override def stopStreamingCtx(): Unit = synchronized {
    val stopping = streamingctx()
    streaming = None
    stopping.stop(false)
  }

  override def getSharedObject[E](name: String): E = shared.get(name).asInstanceOf[E]

  override def setSharedObject[E](name: String, value: E): Unit = shared.set(name, value)

  override def removeSharedObject[E](name: String): E = shared.remove(name).asInstanceOf[E]

  override def getLocalTmpDir(): File = folder.path.toFile
}
