package livius.agent

import java.io.{Closeable, FileNotFoundException, IOException}
import java.nio.file.{Files, Path, Paths}
import java.nio.file.attribute.PosixFilePermissions

/** A temporary folder that only this user can enter. */
final class PrivateFolder(purpose: String) extends Closeable {

  val path: Path = Files.createTempDirectory(s"livius-$purpose-",
    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")))

  /** Deletes it when the driver ends. */
  def closeAtExit(): PrivateFolder = {
    Runtime.getRuntime.addShutdownHook(new Thread(s"livius-$purpose-folder") {
      override def run(): Unit =
        try PrivateFolder.this.close()
        catch { case error: IOException => Log.line(s"cannot delete $path: $error") }
    })
    this
  }

  /** Copies resources from the agent's jar. The names are relative to a folder of the jar. */
  def extract(from: String, names: Seq[String]): Unit = names.foreach { name =>
    val in = getClass.getResourceAsStream(s"/$from/$name")
    if (in == null) throw new FileNotFoundException(s"the agent's jar has no $from/$name")
    val target = path.resolve(Paths.get(name))
    try {
      Files.createDirectories(target.getParent)
      Files.copy(in, target)
    } finally in.close()
  }

  /** Deletes the folder. Follows no links in it. */
  override def close(): Unit = Folders.delete(path)
}
