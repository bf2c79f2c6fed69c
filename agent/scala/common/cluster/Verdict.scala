package livius.agent

import java.io.IOException
import java.nio.charset.StandardCharsets.UTF_8
import java.nio.file.{Files, Path, StandardCopyOption, StandardOpenOption}
import java.nio.file.attribute.PosixFilePermissions

import org.apache.spark.deploy.livius.DriverReport

/** The file that tells the server how the cluster's driver ended. It is replaced as a whole, never
  * written in part.
  */
final class Verdict(file: Path) {

  def write(driver: Option[String], report: DriverReport): Unit =
    try replace(Json.write(Json.obj()
      .put("v", 1)
      .put("driver", driver.orNull)
      .put("state", report.state)
      .put("worker", report.worker.orNull)
      .put("exception", report.exception.orNull)))
    catch { case failure: IOException => SubmitLog.line(s"cannot write $file: $failure") }

  private def replace(text: String): Unit = {
    val fresh = file.resolveSibling(s"${file.getFileName}.new")
    Files.deleteIfExists(fresh)
    Files.createFile(fresh, Verdict.OwnerOnly)
    Files.write(fresh, text.getBytes(UTF_8), StandardOpenOption.SYNC)
    Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE): Unit
  }
}

object Verdict {
  private val OwnerOnly = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))
}
