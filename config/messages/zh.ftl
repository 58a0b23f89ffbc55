# 检查结果的文字。键为问题代码，与 en.ftl 相同。

type-text = 文字
type-flag = true 或 false
type-whole = 整数
type-number = 数字
type-pair = [下限, 上限]
type-date = 日期
type-table = 表
type-list = 列表
type-text-list = 文字列表
type-table-list = 表的列表
type-state-pair = 两个状态，0 在前，1 在后
type-text-or-number = 文字或数字
type-deadband = 不小于 0 的数字，或占量程的百分比，例如 "2 %"
type-host-port = 主机:端口
type-register = 寄存器

unreadable = { $why ->
    [not-found] 文件不存在：{ $value }
    [permission] 没有读取权限：{ $value }
    [encoding] 不是 UTF-8 文本：{ $value }
    [folder] 是目录而不是文件：{ $value }
   *[other] 无法读取 { $value }：{ $error }
  }
    .help = 请检查路径、权限和编码；相对路径从现场文件所在目录算起。
too-large = 文件 { $value } 超过 { $high } MiB
    .help = 请确认指定的是现场文件；大型现场请拆分为多个网关。
syntax = 不是有效的 TOML：{ $what ->
    [duplicate] 键或表重复
    [unquoted] 文字没有加引号，或缺少值
    [unclosed-string] 字符串没有结束，或含有不允许的字符
    [unclosed-bracket] 括号没有闭合
    [no-value] 键没有值
    [key] 键不合法
    [escape] 反斜杠后的字符不是转义
    [after-value] 值之后有多余内容
    [number] 数字写法不合法
    [boolean] 应为 true 或 false
    [date] 日期不合法
    [depth] 嵌套过深
   *[other] { $error }
  }
    .help = 行列号是读取停止的位置，原因常在其前一处的引号、括号或等号。改正后再检查其余内容。
schema = 文件格式版本为 { $value }，本程序读取版本 { $known }
    .help = 写 `schema = { $known }`，或使用与文件对应的程序版本。
unknown-key = 此处没有键 `{ $name }`
    .help = { $how ->
        [near] 是否应为 `{ $names }`？
        [all] 此处可用的键：{ $names }。
       *[nothing] 请删除。
      }
missing-key = 缺少 `{ $name }`
    .help = 请添加 `{ $name }`（{ $type }）。
exclusive = 已有 `{ $name }`，两者只能有一个
    .help = 请保留其中之一。
wrong-type = 应为{ $type }，实际为 { $found }
    .help = 请在此处填写{ $type }。
not-finite = { $value } 不是可以比较的数值
    .help = 请在此处填写{ $type }；不需要此项时请删除该键。
out-of-range = { $value } 超出 { $low } 至 { $high }
    .help = 请填写 { $low } 至 { $high } 之间的值。
empty-text = `{ $name }` 是空的
    .help = 请填写内容；中文和英文都不能缺。
empty-list = `{ $name }` 是空的
    .help = 请至少列出一项，或删除整个表。
bad-id = `{ $value }` 不能作为编号
    .help = 使用 1 至 64 个字母、数字、`-` 和 `_`。
duplicate-id = 编号 `{ $value }` 已被 { $first } 使用
    .help = 每项须有自己的编号。
unknown-name = 未知的名称 `{ $value }`
    .help = { $how ->
        [near] 是否应为 `{ $names }`？
        [all] 可用的名称：{ $names }。
       *[nothing] 此处没有可用的名称。
      }
unknown-reference = 本文件中没有名为 `{ $value }` 的项
    .help = { $how ->
        [near] 是否应为 `{ $names }`？
        [all] 已有：{ $names }。
       *[nothing] 这一类还没有任何项，请先添加。
      }
address = `{ $value }` 不是地址
    .help = 写成 `主机:端口`，例如 `192.168.1.20:502` 或 `[fe80::1]:502`；监听地址须为 IP。
register-address = { $value } 不是这种编号方式下的寄存器
    .help = 地址范围为 { $low } 至 { $high }；`numbering` 说明手册的计数方式：zero（从 0）、one（从 1）、entity（40001 等）。
register-range = 位于 { $value } 的数值会超出寄存器 65535
    .help = 请检查地址、`as`、`count` 和 `stride`。
encoding = 这里放不下这种数据
    .help = 线圈和离散输入是位（`bool`），寄存器是数；只有线圈和 u16 保持寄存器可写。
not-offered = 该设备配置不允许现场选择 `{ $name }`
    .help = 请删除，或使用在 `site_chooses` 中列出 `{ $name }` 的设备配置。
bad-profile = 设备配置 `{ $value }` 有错误
    .help = 错误另行列出；编写方法见 docs/profiles.md。
example-differs = 这些寄存器读出 { $found }，而不是 { $value }
    .help = 请更正信号及其系数、字节序或状态规则；若手册另有说明，则更正示例。
example-hole = `{ $value }` 需要 { $table } 寄存器 { $address }（从 0 起），该示例中没有
    .help = 请在示例中补上该寄存器。
unshown = { $how ->
    [value] 没有示例给出 `{ $value }` 的数值
   *[other] 没有示例给出 `{ $value }` 因 { $how } 规则而无数值的情形
  }
    .help = 请按手册给出的寄存器添加 [[example]]。
range = 须递增：{ $low } 至 { $high } 不成立
    .help = 下限须小于上限；over_range_at 和 under_range_at 不得落在量程之内。
loop-scaling = { $how ->
    [zero] 比例为 0，数值将恒定不变
    [bands] 该信号不是回路电流，没有电流区间
   *[loop] 该信号是回路电流，4–20 mA 已按量程换算
  }
    .help = 回路电流用 `range` 和 `bands`，其他信号用 `scale` 和 `offset`。
limit-outside-range = { $name } 的限值 { $value } 不在仪表量程 { $low } 至 { $high } 内，永远不会报警
    .help = 请更正限值或量程，或换用量程合适的仪表。
limit-order = { $low } 不低于 { $high }
    .help = 限值须递增：LL < L < H < HH。
deadband = 回差 { $value } 使 { $name } 限值 { $limit } 在量程内无法恢复
    .help = 请减小回差，使 { $name } 在量程内能够恢复。
alarm-kind = { $found } 类测点不能有 { $name } 报警
    .help = 开关量用 ON；其他测点用 LL、L、H、HH。
gas-delay = { $name } 可能超过 10 秒才报警：延时 { $value } 毫秒，轮询 { $period } 毫秒
    .help = 请缩短 `on_delay_s` 或设备的 `period_ms`，两者之和不超过 10 秒（GB 16808）。
gas-level-2-delay = { $name } 为气体二级报警，延时最多 2 秒，而非 { $value } 毫秒
    .help = 将 `on_delay_s` 设为 0 至 2。
gas-fault-delay = { $name } 要 { $value } 毫秒后才报故障，气体仪表最多 100 秒
    .help = 请缩短 `on_delay_s`、`stale_s` 或设备的 `period_ms`（GB 16808）。
bus-load = 总线 `{ $bus }` 的线路承载不了所设轮询周期：占用 { $load } %，一轮扫描最长 { $scan } 秒
    .help = 请将周期放长到 { $times } 倍，{ $baud ->
        [none] 或（若已知一次往返不到所估的 5 毫秒）写明 `exchange_ms`，或
       *[other] 或将波特率提高到 { $baud }，或
    }把设备移到另一条总线。`check --budget` 给出逐台设备的明细。
slow-response = { $name } 可能要 { $total } 秒才报警，要求 { $response } 秒：总线 `{ $bus }`，周期 { $period } 秒，一轮扫描（含一台设备无应答）最长 { $scan } 秒，延时 { $delay } 秒
    .help = 请缩短 `on_delay_s`、设备的 `period_ms` 或总线的 `timeout_ms`，提高波特率，把设备移到另一条总线；若该信号允许更慢，请写明 `response_s`。
stale-period = 失效时间 { $value } 毫秒短于两次轮询（每次 { $period } 毫秒）
    .help = 请将 `stale_s` 设为轮询周期的两倍以上，一般为三倍。
remote-reset = { $name } 为气体二级报警，不得远程复位
    .help = 请删除 `remote_reset`，由人员在现场复位。
not-signed-off = 预设 `{ $value }` 未经现场签核不得启用
    .help = 由责任人复核定值后，在 [site] 中添加 `sign_off`，包含 `by` 和 `date`。
sign-off-in-future = 签核日期 { $value } 尚未到来
    .help = 请填写责任人实际复核定值的日期；若日期无误，则本机时钟有误。
sign-off-ahead = 按本机时钟，签核日期 { $value } 尚未到来
    .help = 日期与时钟必有一个有误。网关照常运行；请校准时钟或更正日期。
preset-unit = 预设 `{ $value }` 的单位为 { $unit }，测点单位为 { $found }
    .help = 请选用与测点单位相符的预设，或更正单位。
preset-kind = 预设 `{ $value }` 用于 { $kinds }，该测点为 { $found }
    .help = 请选用与测点类型相符的预设，或更正类型。
preset-limit = { $source } 要求 { $id } 有 { $name } 报警，限值由现场确定
    .help = 请添加 `[point.alarms.{ $name }]` 和 `set_point`。
substance = 物质 `{ $value }` 没有 { $figure } 数据
    .help = 请更正物质或测点类型，或不用预设而自定限值。
vote-member = `{ $value }` 不能参与表决
    .help = 成员须是测点的限值或状态报警；成员的故障（BAD、STALE）按该组的 `fault` 计。
same-member = `{ $value }` 在此重复出现
    .help = 请删除其中一个。
vote-safety = 含气体探测器的表决组须按安全方式降级
    .help = 请删除 `safety`：气体探测器失效时，表决所需的票数随之减少。
not-discrete = 测点 `{ $value }` 的类型为 { $found }，此处需要开关量
    .help = 请填写 `discrete` 类测点。
effect-self = `{ $value }` 的失效不能再控制 `{ $value }` 自身
    .help = 请删除其一；失效可以启动另一个输出。
suppress-self = 规则以 `{ $value }` 为条件，不能又抑制它
    .help = 请从 `alarms` 中删除。
suppress-danger = `{ $value }` 为气体二级报警，该规则会使其静默
    .help = 仅当责任人有理由时才保留：停产时气体同样危险。
not-writable = 信号 `{ $value }` 不可写
    .help = { $how ->
        [near] 是否应为 `{ $names }`？
        [all] 该设备可写的信号：{ $names }。
       *[nothing] 该设备没有可写的信号。
      }
same-output = 与输出 `{ $first }` 是同一个寄存器
    .help = 两个输出会互相覆盖：请更正信号，或合并为一个输出。
pin-hash = 不是 argon2id 哈希
    .help = 用 `davy-gateway pin` 生成，并整行粘贴。
same-link = 与总线 `{ $first }` 是同一条线
    .help = 一条线即一条总线，请将设备合并。
unstable-port = `{ $value }` 取决于适配器插入的先后：重启或重新插拔后可能变成另一条线
    .help = { $how ->
        [known] 请改用固定名称：`{ $stable }`。
       *[other] 请改用固定名称，在网关上用 `ls -l /dev/serial/by-id` 或 `/dev/serial/by-path` 查看。
      }
same-unit = 该总线上的站号 { $unit } 已被 `{ $first }` 使用
    .help = 总线上每台设备须有自己的站号。
answer-too-late = 设备应答需 { $answer } 毫秒，而总线只等待 { $timeout } 毫秒
    .help = 请加大总线的 `timeout_ms`，并计入最长报文在线路上的传输时间。
conflict = `{ $first }` 以另一种方式读取同一寄存器
    .help = 请确认哪一个正确。
laxer = { $value } 比预设的 { $preset } 宽松（{ $source }）
    .help = 仅当责任人有理由时才保留。
slow-limit = { $name } 要等 { $value } 毫秒；HH、LL 和一级报警一般不超过 2 秒
    .help = 请缩短 `on_delay_s`，除非责任人有理由。
no-alarm = `{ $value }` 没有限值：只显示和记录，不报警
    .help = 如需报警，请添加预设或 `[point.alarms.…]`。
unarmed = `{ $value }` 未投用：只判断和记录，不报警也不联动
    .help = 试验合格后在调试页面投用，或删除 `armed = false`。
unproved = `{ $value }` 未经试验即投用（{ $by }：{ $why }）
    .help = 尽快试验，合格后删除 `unproved`。
idle-output = 没有任何原因会启动输出 `{ $value }`
    .help = 请在 `[[effect]]` 中引用。
idle-manual = 手动原因 `{ $value }` 启动后不会有任何动作
    .help = 请在某个 `[[effect]]` 的 causes 中引用 `{ $cause }`。
idle-device = 没有测点或输出使用设备 `{ $value }`，它不会被轮询
    .help = 请添加测点，或删除该设备。

key-ack = 何时算送达：commit（云端提交）或 none（代理收到）
key-address = 地址：总线为 host:port；寄存器为编号
key-alarm = 到期未验证是否报警，缺省 true
key-alarm-reserve-mb = 其中只留给报警记录的空间，MB
key-alarms = 报警：测点或表决组的各项；规则中为被抑制的报警
key-answer-ms = 设备收到请求后最多多久开始应答，毫秒；总线预算用
key-area = 所属区域的 id
key-armed = 是否启用，缺省 true；false 只读取、判断、记录
key-as = 数值在寄存器中的写法
key-backfill-bytes-s = 补传最多占用的带宽，字节每秒
key-backup-brokers = 备用代理，依次尝试
key-band = 不算变化的幅度
key-bands = 变送器的电流区间，取代型号文件所列
key-base = 寄存器表的起始地址
key-baud = 波特率；转换器后的线路只用于核算
key-bit = 位号，0 为最低位
key-broker = MQTT 代理，host:port
key-bus = 总线；设备中为所在总线的 id
key-by = 谁负责
key-calibrate-every-days = 两次标定之间的天数
key-causes = 原因：任一报警即要求全部输出
key-comms = 设备无应答的报警
key-condition = 成员给出测点 id 时所取的报警
key-current-ma = 该寄存器为回路电流，取此电流区间
key-date = 日期
key-deadband = 回差：工程单位，或 "2 %" 量程
key-decimals = 显示的小数位
key-device = 设备；测点与输出中为所属设备的 id
key-effect = 联动：原因与输出
key-en = 英文
key-exception = 变化超过此值才记录
key-fail-safe = 网关不再写入时现场设备的状态
key-fault = 故障成员如何计：exclude 或 vote-trip
key-feedback = 输出是否真的动作，看什么
key-from = 偏差的基准：数或测点 id
key-group = Sparkplug 组 id
key-guidance = 报警旁显示的处置办法
key-heartbeat-s = 至少每隔此时间记录一次，秒
key-id = 唯一名称：字母、数字、- 与 _
key-is = 抑制所需的状态，缺省 true
key-journal = 本地记录
key-kind = 种类
key-latching = 自保持，直到复位
key-listen = 站内画面的地址
key-manual = 人工原因
key-max-mb = 本地记录最大空间，MB
key-members = 表决成员
key-min-run-s = 一旦接通至少运行，秒
key-moves = 变化方向
key-name = 名称，中英文
key-needed = 动作所需成员数
key-note = 备注
key-numbering = 地址的编号方式
key-off-delay-s = 恢复延时，秒
key-offset = 原始数乘 scale 后再加
key-on-delay-s = 报警延时，秒
key-order = 字节与字的顺序
key-output = 输出
key-outputs = 被要求的输出
key-over-range-at = 超过此值为超量程
key-parity = 校验
key-password-file = 密码文件
key-path = 串口设备
key-period-ms = 轮询周期，毫秒
key-person = 可在站内操作的人员
key-pin = PIN 的散列值，由 davy-gateway pin 生成
key-point = 测点；反馈中为显示动作的测点
key-preset = 由标准给出定值的预置
key-primary-host = 须在线才发布的 Sparkplug 主机
key-priority = 优先级，1 最高
key-profile = 设备型号文件
key-profile-file = 自备的型号文件
key-proof-every-days = 两次功能验证之间的天数
key-proving = 验证周期
key-range = 量程：下限、上限
key-re-alarm-min = 确认后仍在报警时再次鸣响，分钟
key-reason = 原因
key-register = 测点自己的寄存器
key-registers = 型号文件留给现场的选择
key-remote-reset = 城市端可否复位
key-response-s = 从事件到报警最长，秒
key-role = 角色
key-safety = 失去成员时降低所需数
key-scale = 原始数乘以
key-schema = 格式版本，1
key-screen = 站内画面
key-set-point = 定值
key-shelve-max-min = 最长搁置，分钟
key-sign-off = 定值签认，启用预置所需
key-signal = 型号文件中的信号
key-site = 现场
key-stale-s = 多久没有读数算陈旧，秒
key-states = 0 与 1 的名称
key-stop-bits = 停止位
key-substance = 物质，决定 LEL 与 OEL
key-suppress = 设计抑制
key-table = 寄存器表
key-timeout-ms = 等待应答，毫秒
key-timeout-s = 要求与反馈可不一致的时间，秒
key-turnaround-ms = 两帧之间额外的静默，毫秒
key-under-range-at = 低于此值为欠量程
key-unit = 工程单位；设备中为站号
key-unproved = 未经验证即启用：谁、何时、为何
key-uplink = 上行
key-username = 用户名
key-vote = 表决组
key-when = 报警的状态；规则中为所看的测点或报警
key-width = 位数
key-window = 已发布未提交的批数
key-window-s = 时间窗，秒
key-zh = 中文
key-HH = 高高
key-H = 高
key-L = 低
key-LL = 低低
key-ON = 状态
key-DEV = 偏差
key-ROC = 变化率
key-FROZEN = 不变
key-STEL = 短时间加权平均
key-TWA = 八小时加权平均
key-BAD = 仪表故障
key-STALE = 读数陈旧
key-VOTE = 表决动作
key-DEGRADED = 成员缺失
key-UNMON = 无成员可用
key-DISC = 成员不一致
key-exchange-ms = 网络上一次往返所需，毫秒，只用于核算
