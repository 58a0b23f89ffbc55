cli = Davy 边缘网关：读取传感器，判断报警，驱动输出，留存记录。
cli-run = 运行一个现场，直到收到停止信号。
cli-run-site = 现场文件。
cli-run-data = 日志目录；不存在时自动创建。
cli-run-log-format = 写到标准错误的日志格式。
cli-check = 检查现场文件，不接触任何设备；一次列出全部问题。可以运行退出码为 0，否则为 1。
cli-check-site = 现场文件。
cli-check-format = 问题的输出格式。
cli-replay = 按现场文件判断记录的或手写的事件，不接设备、不用时钟：以 JSON 行输出每次状态变化、拒绝和输出变化。某行无法读取时退出码为 2。
cli-replay-site-file = 现场文件。
cli-replay-events = 事件，每行一个 JSON 对象；- 表示从标准输入读取。
cli-pin = 生成人员 PIN 的散列值，写入现场文件。
cli-pin-pin-file = 首行为 PIN 的文件；不给出时从管道读取或提示输入。

check-sound = { $file }：可以运行。{ $buses } 条总线，{ $points } 个测点，{ $alarms } 个报警，{ $outputs } 个输出。
check-warnings = { $count } 条警告。
check-refused = { $file }：不得运行。{ $errors } 个错误，{ $warnings } 条警告。
check-error = 错误
check-warning = 警告
check-help = 办法

pin-prompt = PIN：
pin-again = 再输一次：
pin-differ = 两次输入不一致。
pin-short = PIN 为 4 至 32 个字符。

run-refused = 现场文件有错误，未启动。

replay-refused = 现场文件有错误，未作任何判断。
replay-line = 第 { $line } 行：{ $why }
replay-line-json = 无法读取：{ $what }
replay-line-long = 超过 { $what } 字节
replay-line-point = 测点“{ $what }”在现场文件中不存在
replay-line-role = 角色“{ $what }”不存在；只有 operator 和 maintenance
replay-line-range = 原因“{ $what }”不存在；起作用的两个是 over-range 和 under-range
replay-line-missing = 缺少“{ $what }”
replay-line-together = 不能同时出现：{ $what }
replay-read = 事件无法读取：{ $error }
replay-write = 输出行无法写出：{ $error }
replay-journal-read = 日志无法读取：{ $error }
replay-earlier = 第 { $line } 行：时间早于前面的行；共 { $count } 行按最晚时间处理。
replay-unknown-reason = 第 { $line } 行：原因“{ $reason }”不是 Davy 已知的原因；与任何原因一样按坏值处理。

screen-not-built = 本程序构建时没有包含画面：请在 web 目录运行 npm ci 和 npm run build，再重新构建。报警判断和接口照常工作。
